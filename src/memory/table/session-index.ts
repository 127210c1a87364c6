import { HashIndex } from './hash-index.ts'
import { noSlot, type SlotStore } from './slot-store.ts'

/** Up to here one `Map` is the fastest, as V8 keeps the hash of a string with it. It moves over in a few milliseconds. */
const maxInMap = 2 ** 14

/** So few that going back is done at once, and far enough below that it does not happen again and again. */
const minInHashIndex = 2 ** 12

/**
 * Slots by id: a `Map`, and an index of our own where that would get large.
 *
 * V8 copies a `Map` as it doubles or halves, and holds the event loop for all of it: hundreds of milliseconds at some
 * millions of entries. It also ends at 2²⁴.
 */
export class SessionIndex<T> {
  readonly #slots: SlotStore<T>
  #few: Map<string, number> | undefined = new Map()
  #many: HashIndex<T> | undefined = undefined

  constructor(slots: SlotStore<T>) {
    this.#slots = slots
  }

  get size(): number {
    return this.#few?.size ?? this.#many?.size ?? 0
  }

  /** The slot of an id; `noSlot` also of what is no string. */
  find(id: string): number {
    if (this.#few !== undefined) return this.#few.get(id) ?? noSlot
    return typeof id === 'string' ? (this.#many?.find(id) ?? noSlot) : noSlot
  }

  /** Adds a slot. There is none of its id. */
  add(id: string, slot: number): void {
    if (this.#few === undefined) {
      this.#many?.add(id, slot)
      return
    }
    this.#few.set(id, slot)
    if (this.#few.size > maxInMap) this.#becomeMany(this.#few)
  }

  /** Takes a slot out that is in the index. */
  remove(slot: number): void {
    if (this.#many === undefined) {
      this.#few?.delete(this.#slots.idOf(slot))
      return
    }
    this.#many.remove(slot)
    if (this.#many.size < minInHashIndex) this.#becomeFew(this.#many)
  }

  #becomeMany(few: ReadonlyMap<string, number>): void {
    const many = new HashIndex<T>(this.#slots)
    for (const [id, slot] of few) many.add(id, slot)
    this.#few = undefined
    this.#many = many
  }

  #becomeFew(many: HashIndex<T>): void {
    const few = new Map<string, number>()
    many.forEach((slot) => few.set(this.#slots.idOf(slot), slot))
    this.#few = few
    this.#many = undefined
  }
}
