import { describe, expect, it, vi } from 'vitest'
import { IdIndex } from '../../../src/memory/table/index/id-index.ts'
import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { Random } from '../../support/random.ts'
import { newSlot } from './new-slot.ts'

vi.mock('../../../src/memory/table/layout.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  maxInMap: 64,
  minInHashIndex: 8,
  migrationBatch: 1,
}))

describe('the index of sessions, while it is copied out of its Map', () => {
  it.each([1, 2, 3, 4])('has what a Map has, whatever comes and goes (seed %i)', (seed) => {
    const slots = new SlotStore()
    const index = new IdIndex(slots)
    const model = new Map<string, Slot>()
    const random = new Random(seed)
    const fail = (what: string, step: number) => expect.fail(`${what} in step ${step} of seed ${seed}`)
    let copying = 0
    let isCopied = 0
    for (let step = 1; step <= 6_000; step += 1) {
      // Long ups and downs to both ends, and short ones around the point where the Map is full.
      const isGrowing = step < 3_000 ? Math.floor(step / 250) % 2 === 0 : model.size < 64 + (step % 40)
      if (random.chance(isGrowing ? 0.9 : 0.1)) {
        const id = `session-${step}`
        const slot = newSlot(slots, id, 0)
        index.add(id, slot)
        model.set(id, slot)
      } else if (model.size > 0) {
        const [id, slot] = random.pick([...model])
        index.remove(slot)
        slots.free(slot)
        model.delete(id)
        if (index.find(id) !== noSlot) fail(`'${id}' was found after its end`, step)
        if (index.candidateInHashIndex(id) !== noSlot) fail(`'${id}' was guessed after its end`, step)
      }
      if (index.size !== model.size) fail(`a size of ${index.size} and not ${model.size}`, step)
      for (const [id, slot] of model) {
        if (index.find(id) !== slot) fail(`'${id}' was not found`, step)
        if (!index.map.has(id) && index.candidateInHashIndex(id) !== slot)
          fail(`'${id}' was not guessed`, step)
      }
      if (index.map.size > 0 && index.map.size < model.size) copying += 1
      if (index.map.size === 0 && model.size > 0) isCopied += 1
    }

    // Or none of this has been looked at.
    expect([copying > 100, isCopied > 100]).toEqual([true, true])
  })
})
