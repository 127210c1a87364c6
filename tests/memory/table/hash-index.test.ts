import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HashIndex } from '../../../src/memory/table/index/hash-index.ts'
import { newHashKeys } from '../../../src/memory/table/index/hash-keys.ts'
import { HashSegment } from '../../../src/memory/table/index/hash-segment.ts'
import { hashOf } from '../../../src/memory/table/index/id-hash.ts'
import { SegmentPool } from '../../../src/memory/table/index/segment-pool.ts'
import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { Random } from '../../support/random.ts'
import { newSlot } from './new-slot.ts'

// Ids that begin so have the same hash: with secret keys there are no others.
vi.mock('../../../src/memory/table/index/id-hash.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../../src/memory/table/index/id-hash.ts')>()
  return {
    hashOf: (id: string, keys: Int32Array) => original.hashOf(id.startsWith('alike-') ? 'alike' : id, keys),
  }
})

/** An index beside the `Map` that it has to be like. */
class Trial {
  readonly slots = new SlotStore()
  readonly index = new HashIndex(this.slots)
  readonly model = new Map<string, Slot>()

  add(id: string): void {
    const slot = newSlot(this.slots, id, 0)
    this.index.add(id, slot)
    this.model.set(id, slot)
  }

  remove(id: string): void {
    const slot = this.model.get(id)
    if (slot === undefined) return
    this.index.remove(slot)
    this.model.delete(id)
    this.slots.free(slot)
  }

  isWrong(id: string): boolean {
    return this.index.find(id) !== (this.model.get(id) ?? noSlot)
  }

  /** What is wrong with it; looks at everything. */
  get fault(): string | undefined {
    const { index, model } = this
    if (index.size !== model.size) return `a size of ${index.size} and not ${model.size}`
    for (const [id, slot] of model) if (index.find(id) !== slot) return `'${id}' was not found`
    let walked = 0
    const seen = new Set<number>()
    index.forEach((slot) => {
      walked += 1
      seen.add(slot)
    })
    if (walked !== model.size || seen.size !== walked) return `${walked} walked of ${model.size}`
    for (const slot of model.values()) if (!seen.has(slot)) return `slot ${slot} was not walked`
    return undefined
  }

  /** How many segments it is at present. */
  get segments(): number {
    const spy = vi.spyOn(HashSegment.prototype, 'forEach')
    this.index.forEach(() => {})
    const { length } = spy.mock.calls
    spy.mockRestore()
    return length
  }
}

/** Each index draws a seed for its hashes. */
function repeatable(seed: number): Random {
  const random = new Random(seed)
  vi.spyOn(Math, 'random').mockImplementation(() => random.next())
  return random
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a hash index', () => {
  it('is empty at first', () => {
    const { index, fault, segments } = new Trial()

    expect([index.size, index.find('a'), fault, segments]).toEqual([0, noSlot, undefined, 1])
  })

  it.each([1, 2])(
    'has what a Map has, while sessions come and go in their ten thousands (seed %i)',
    (seed) => {
      const random = repeatable(seed)
      const harness = new Trial()
      const idAt = (at: number) => `user-${String(at).padStart(9, '0')}`
      const segments: number[] = []
      for (const [aim, steps] of [
        [60_000, 60_000],
        [20_000, 40_000],
        [40_000, 20_000],
        [500, 40_000],
      ] as const) {
        for (let step = 0; step < steps; step += 1) {
          const id = idAt(random.below(60_000))
          if (harness.model.has(id) ? harness.model.size >= aim : harness.model.size < aim) {
            if (harness.model.has(id)) harness.remove(id)
            else harness.add(id)
          }
          if (harness.isWrong(id)) expect.fail(`'${id}' was found wrongly at a size of ${harness.model.size}`)
        }
        for (const id of [...harness.model.keys()].slice(aim)) harness.remove(id)
        if (aim === 60_000)
          for (let at = 0; at < aim; at += 1) if (!harness.model.has(idAt(at))) harness.add(idAt(at))
        expect(harness.fault).toBeUndefined()
        expect(harness.model.size).toBeLessThanOrEqual(aim)
        segments.push(harness.segments)
      }

      // Each has 8 192 cells; those that got nearly empty have become one.
      expect(segments[0]).toBeGreaterThanOrEqual(12)
      expect(segments[3]).toBeLessThanOrEqual(4)
      for (const id of [...harness.model.keys()]) harness.remove(id)
      expect([harness.fault, harness.index.size, harness.index.find(idAt(1))]).toEqual([undefined, 0, noSlot])
    },
  )
})

describe('the memory of a hash index', () => {
  it('is made sixteen segments at a time, and what a split leaves is used for the next', () => {
    const takes = vi.spyOn(SegmentPool.prototype, 'allocate')
    const harness = new Trial()
    for (let at = 0; at < 100_000; at += 1) harness.add(`user-${at}`)
    const buffers = new Set(takes.mock.results.map(({ value }) => (value as Int32Array).buffer))
    const { segments } = harness

    expect(segments).toBeGreaterThan(16)
    // One more piece than there are segments lies ready.
    expect(buffers.size).toBe(Math.ceil((segments + 1) / 16))
  })

  it('is given up as it shrinks, and not used again here and there', () => {
    const harness = new Trial()
    for (let at = 0; at < 100_000; at += 1) harness.add(`user-${at}`)
    const givenBack = vi.spyOn(SegmentPool.prototype, 'release')
    const before = harness.segments
    for (let at = 500; at < 100_000; at += 1) harness.remove(`user-${at}`)

    expect(harness.segments).toBeLessThan(before / 8)
    expect(givenBack).not.toHaveBeenCalled()
  })
})

describe('ids that have the same hash', () => {
  const count = 2_000
  const alike = Array.from({ length: count }, (_, at) => `alike-${at}`)
  const others = Array.from({ length: 30_000 }, (_, at) => `session-${at}`)
  let random = new Random(0)

  beforeEach(() => {
    random = repeatable(3)
  })

  it('are really such', () => {
    const keys = newHashKeys()

    expect(new Set(alike).size).toBe(count)
    expect(new Set(alike.map((id) => hashOf(id, keys))).size).toBe(1)
  })

  it('are all found, walked once, and removed in any order', () => {
    const harness = new Trial()
    for (const id of alike) harness.add(id)
    expect(harness.fault).toBeUndefined()
    const left = [...alike]
    while (left.length > 0) {
      const at = random.below(left.length)
      const id = left[at] as string
      left[at] = left.at(-1) as string
      left.pop()
      harness.remove(id)
      if (harness.isWrong(id)) expect.fail(`'${id}' was found after its end`)
      if (left.length % 250 === 0) expect(harness.fault).toBeUndefined()
    }

    expect(harness.index.size).toBe(0)
  })

  it('come back after they have gone', () => {
    const harness = new Trial()
    for (let round = 0; round < 3; round += 1) {
      for (const id of alike) harness.add(id)
      for (const [at, id] of alike.entries()) if (at % 3 !== round) harness.remove(id)
      for (const id of alike) if (!harness.model.has(id)) harness.add(id)
      expect(harness.fault).toBeUndefined()
      for (const id of alike) harness.remove(id)
      expect(harness.fault).toBeUndefined()
    }
  })

  it('are found among others, whichever come and go while the index is split and becomes one', () => {
    const harness = new Trial()
    for (const [at, id] of others.entries()) {
      harness.add(id)
      const twin = at % 10 === 0 ? alike[at / 10] : undefined
      if (twin !== undefined) harness.add(twin)
    }
    expect(harness.model.size).toBe(32_000)
    expect(harness.fault).toBeUndefined()
    expect(harness.segments).toBeGreaterThan(5)
    for (const [at, id] of alike.entries()) if (at % 2 === 0) harness.remove(id)
    expect(harness.fault).toBeUndefined()
    for (const [at, id] of others.entries()) if (at % 50 > 0) harness.remove(id)
    expect(harness.fault).toBeUndefined()
    expect(harness.segments).toBeLessThan(5)
    for (const id of [...alike, ...others]) if (harness.isWrong(id)) expect.fail(`'${id}' was found wrongly`)
  })
})
