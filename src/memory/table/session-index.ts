import { HashIndex } from './hash-index.ts'
import { maxInMap, minInHashIndex } from './index-limits.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * Slots by id: a `Map`, and an index of our own where that would get large.
 *
 * V8 copies a `Map` as it doubles or halves, and holds the event loop for all of it: hundreds of milliseconds at some
 * millions of entries. It also ends at 2²⁴. So when the `Map` is full, what comes goes into the other index, and with
 * each of these one that is in the `Map` moves over.
 */
export class SessionIndex<T> {
  declare private readonly slots: SlotStore<T>
  /** The `Map`; it stays the same one. */
  readonly few = new Map<string, number>()
  #many: HashIndex<T> | undefined = undefined
  /** Where the `Map` goes on to be emptied. */
  #rest: Iterator<[string, number], undefined> | undefined = undefined

  constructor(slots: SlotStore<T>) {
    this.slots = slots
  }

  get size(): number {
    return this.#many === undefined ? this.few.size : this.few.size + this.#many.size
  }

  /** The slot of an id; `noSlot` also of what is no string. */
  find(id: string): number {
    const slot = this.few.get(id)
    if (slot !== undefined) return slot
    return this.#many !== undefined && typeof id === 'string' ? this.#many.find(id) : noSlot
  }

  /** The slot of an id that is not in the `Map`, or of another one with the same hash; `noSlot` as in {@link find}. */
  guessInMany(id: string): number {
    return this.#many !== undefined && typeof id === 'string' ? this.#many.guess(id) : noSlot
  }

  /** Adds a slot. There is none of its id. */
  add(id: string, slot: number): void {
    if (this.#many === undefined && this.few.size < maxInMap) this.few.set(id, slot)
    else this.#addToMany(id, slot)
  }

  /** Takes a slot out that is in the index. */
  remove(slot: number): void {
    if (this.few.size > 0 && this.few.delete(this.slots.idOf(slot))) return
    if (this.#many === undefined) return
    this.#many.remove(slot)
    if (this.size < minInHashIndex) this.#goBack(this.#many)
  }

  #addToMany(id: string, slot: number): void {
    this.#many ??= new HashIndex(this.slots)
    this.#many.add(id, slot)
    if (this.few.size === 0) return
    this.#rest ??= this.few.entries()
    const next = this.#rest.next()
    if (next.done === true) return
    this.few.delete(next.value[0])
    this.#many.add(...next.value)
  }

  #goBack(many: HashIndex<T>): void {
    many.forEach((slot) => {
      this.few.set(this.slots.idOf(slot), slot)
    })
    this.#many = undefined
    this.#rest = undefined
  }
}
