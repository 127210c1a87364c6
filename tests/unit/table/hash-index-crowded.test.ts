import { expect, it, vi } from 'vitest'
import { HashIndex } from '../../../src/memory/table/hash-index.ts'
import { noSlot, SlotStore } from '../../../src/memory/table/slot-store.ts'

// An id is a number here, and so is its hash: all that splitting looks at is the same in all of them.
vi.mock('../../../src/memory/table/id-hash.ts', () => ({
  hashOf: (id: string) => (Number(id) << 16) | 0xabc,
}))

it('keeps all sessions where splitting a full segment parts none of them, and where they go again', () => {
  const count = 9_000
  const slots = new SlotStore<number>()
  const index = new HashIndex<number>(slots)
  const slotOf = new Map<string, number>()
  const isMissing = (at: number) => index.find(String(at)) !== (slotOf.get(String(at)) ?? noSlot)
  const ids = Array.from({ length: count }, (_, at) => at)
  for (const at of ids) {
    const slot = slots.bear(String(at), at, 0, 0)
    slotOf.set(String(at), slot)
    index.add(String(at), slot)
    if (isMissing(at) || isMissing(at >>> 1)) expect.fail(`session ${at} or ${at >>> 1} was not found`)
  }
  expect([index.size, ids.filter(isMissing)]).toEqual([count, []])

  for (const round of [0, 1, 2]) {
    for (const at of ids) {
      if (at % 3 !== round) continue
      const slot = slotOf.get(String(at)) ?? noSlot
      index.remove(slot)
      slotOf.delete(String(at))
      slots.free(slot)
    }
    const walked: number[] = []
    index.forEach((slot) => {
      walked.push(slot)
    })
    expect(walked.toSorted((a, b) => a - b)).toEqual([...slotOf.values()].toSorted((a, b) => a - b))
    expect([index.size, ids.filter(isMissing)]).toEqual([slotOf.size, []])
  }
  expect(index.size).toBe(0)
})
