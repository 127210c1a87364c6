import { describe, expect, it, vi } from 'vitest'
import { HashIndex } from '../../../src/memory/table/index/hash-index.ts'
import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { newSlot } from './new-slot.ts'

// An id is a number here, and its own hash.
vi.mock('../../../src/memory/table/index/id-hash.ts', () => ({ hashOf: (id: string) => Number(id) | 0 }))

/** The highest 13 bits say in which cell of a segment it belongs, and the lowest in which segment. */
const idIn = (cell: number, rest: number) => String(((cell << 19) | rest) >>> 0)

/** An index and the slot of each id, which is what it should find. */
class Filled {
  readonly #slots = new SlotStore()
  readonly index = new HashIndex(this.#slots)
  readonly slotOf = new Map<string, Slot>()

  add(...ids: string[]): void {
    for (const id of ids) {
      const slot = newSlot(this.#slots, id, 0)
      this.slotOf.set(id, slot)
      this.index.add(id, slot)
    }
  }

  remove(...ids: string[]): void {
    for (const id of ids) {
      const slot = this.slotOf.get(id) ?? noSlot
      this.index.remove(slot)
      this.slotOf.delete(id)
      this.#slots.free(slot)
    }
  }

  check(): void {
    const walked: number[] = []
    this.index.forEach((slot) => {
      walked.push(slot)
    })
    const slots = [...this.slotOf.values()]
    expect(walked.toSorted((a, b) => a - b)).toEqual(slots.toSorted((a, b) => a - b))
    expect(this.index.size).toBe(slots.length)
    expect([...this.slotOf].filter(([id, slot]) => this.index.find(id) !== slot)).toEqual([])
    // No two ids have one hash here, so a guess is right.
    expect([...this.slotOf].filter(([id, slot]) => this.index.candidate(id) !== slot)).toEqual([])
  }
}

const countTo = (count: number) => Array.from({ length: count }, (_, at) => at)

describe('a hash index loses no session', () => {
  it('where splitting a full segment parts none of them', () => {
    const filled = new Filled()
    // All that splitting looks at is the same.
    const ids = countTo(9_000).map((at) => idIn(at >>> 3, ((at & 7) << 16) | 0xabc))
    filled.add(...ids)
    filled.check()
    for (const round of [0, 1, 2]) {
      filled.remove(...ids.filter((_id, at) => at % 3 === round))
      filled.check()
    }
    expect(filled.index.find(idIn(0, 0xabc))).toBe(noSlot)
    expect(filled.index.candidate(idIn(0, 0xabc))).toBe(noSlot)
  })

  it('where the other half of a segment that gets empty was split again', () => {
    const filled = new Filled()
    // Ending in 11, and with the bit before that so that splitting helps.
    filled.add(...countTo(6_000).map((at) => idIn(at, 0b011 | ((at & 1) << 2))))
    filled.add(...countTo(5).map((at) => idIn(at, 0b01)))
    const few = countTo(10).map((at) => idIn(at, 0b00))
    filled.add(...few)
    filled.check()
    filled.remove(...few)

    filled.check()
  })

  it('where two halves become one, and have more for a cell than it has beside it', () => {
    const filled = new Filled()
    const filler = countTo(6_000).map((at) => idIn(1_000 + at, at & 1))
    filled.add(...filler)
    // 64 for one cell in each half.
    const alike = countTo(128).map((at) => idIn(100, at))
    filled.add(...alike)
    filled.check()
    filled.remove(...filler)
    filled.check()
    filled.add(...filler)
    filled.check()
    filled.remove(...alike)

    filled.check()
  })
})
