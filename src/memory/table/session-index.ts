import { HashIndex } from './hash-index.ts'
import { copiesPerAddition, maxInMap, minInHashIndex } from './index-limits.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * Slots by id: a `Map`, and an index of our own where that would get large.
 *
 * V8 copies a `Map` as it doubles or halves, and holds the event loop for all of it: hundreds of milliseconds at some
 * millions of entries. It also ends at 2²⁴. So when the `Map` is full, what comes goes into the other index, and with
 * each of these some that are in the `Map` are copied. It is emptied when all are: until then whoever is in it is found
 * there, with one look.
 */
export class SessionIndex<T> {
  declare private readonly slots: SlotStore<T>
  /** The `Map`; it stays the same one. */
  readonly few = new Map<string, number>()
  #many: HashIndex<T> | undefined = undefined
  /** Those that are in the `Map` and not yet in the other index. */
  #rest: Iterator<number, undefined> | undefined = undefined
  /** So many are in both. */
  #copied = 0

  constructor(slots: SlotStore<T>) {
    this.slots = slots
  }

  get size(): number {
    return this.#many === undefined ? this.few.size : this.few.size + this.#many.size - this.#copied
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
    const wasInMap = this.few.size > 0 && this.few.delete(this.slots.idOf(slot))
    if (this.#many === undefined) return
    if (this.#many.remove(slot) && wasInMap) this.#copied -= 1
    if (this.size < minInHashIndex) this.#goBack(this.#many)
  }

  /** Forgets all ids, at once. */
  clear(): void {
    this.few.clear()
    this.#many = undefined
    this.#forgetCopies()
  }

  #addToMany(id: string, slot: number): void {
    this.#many ??= new HashIndex(this.slots)
    this.#many.add(id, slot)
    for (let copies = 0; this.few.size > 0 && copies < copiesPerAddition; copies += 1)
      this.#copyOne(this.#many)
  }

  #copyOne(many: HashIndex<T>): void {
    this.#rest ??= this.few.values()
    const next = this.#rest.next()
    if (next.done === true) {
      this.few.clear()
      this.#forgetCopies()
    } else {
      many.add(this.slots.idOf(next.value), next.value)
      this.#copied += 1
    }
  }

  #goBack(many: HashIndex<T>): void {
    many.forEach((slot) => {
      this.few.set(this.slots.idOf(slot), slot)
    })
    this.#many = undefined
    this.#forgetCopies()
  }

  #forgetCopies(): void {
    this.#rest = undefined
    this.#copied = 0
  }
}
