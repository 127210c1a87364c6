import { maxInMap, migrationBatch, minInHashIndex, noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { HashIndex } from './hash-index.ts'

/**
 * Slots by id: a `Map`, and an index of our own where that would get large.
 *
 * V8 copies a `Map` as it doubles or halves, and holds the event loop for all of it: hundreds of milliseconds at some
 * millions of entries. It also ends at 2²⁴. So when the `Map` is full, what comes goes into the other index, and with
 * each of these some that are in the `Map` are copied. It is emptied when all are: until then whoever is in it is found
 * there, with one look.
 */
export class IdIndex {
  declare private readonly slots: SlotStore
  /** The `Map`; it stays the same one. */
  readonly map = new Map<string, Slot>()
  #hashIndex: HashIndex | undefined = undefined
  /** Those that are in the `Map` and not yet in the other index. */
  #migration: Iterator<Slot, undefined> | undefined = undefined
  /** So many are in both. */
  #migrated = 0

  constructor(slots: SlotStore) {
    this.slots = slots
  }

  get size(): number {
    return this.#hashIndex === undefined
      ? this.map.size
      : this.map.size + this.#hashIndex.size - this.#migrated
  }

  /** The slot of an id; `noSlot` also of what is no string. */
  find(id: string): Slot {
    const slot = this.map.get(id)
    if (slot !== undefined) return slot
    return this.#hashIndex !== undefined && typeof id === 'string' ? this.#hashIndex.find(id) : noSlot
  }

  /** The slot of an id that is not in the `Map`, or of another one with the same hash; `noSlot` as in {@link find}. */
  candidateInHashIndex(id: string): Slot {
    return this.#hashIndex !== undefined && typeof id === 'string' ? this.#hashIndex.candidate(id) : noSlot
  }

  /** Adds a slot. There is none of its id. */
  add(id: string, slot: Slot): void {
    if (this.#hashIndex === undefined && this.map.size < maxInMap) this.map.set(id, slot)
    else this.#addToHashIndex(id, slot)
  }

  /** Takes a slot out that is in the index. */
  remove(slot: Slot): void {
    const wasInMap = this.map.size > 0 && this.map.delete(this.slots.idOf(slot))
    if (this.#hashIndex === undefined) return
    if (this.#hashIndex.remove(slot) && wasInMap) this.#migrated -= 1
    if (this.size < minInHashIndex) this.#shrinkToMap(this.#hashIndex)
  }

  /** Forgets all ids, at once. */
  clear(): void {
    this.map.clear()
    this.#hashIndex = undefined
    this.#endMigration()
  }

  #addToHashIndex(id: string, slot: Slot): void {
    this.#hashIndex ??= new HashIndex(this.slots)
    this.#hashIndex.add(id, slot)
    for (let migratedNow = 0; this.map.size > 0 && migratedNow < migrationBatch; migratedNow += 1)
      this.#migrateOne(this.#hashIndex)
  }

  #migrateOne(hashIndex: HashIndex): void {
    this.#migration ??= this.map.values()
    const next = this.#migration.next()
    if (next.done === true) {
      this.map.clear()
      this.#endMigration()
    } else {
      hashIndex.add(this.slots.idOf(next.value), next.value)
      this.#migrated += 1
    }
  }

  #shrinkToMap(hashIndex: HashIndex): void {
    hashIndex.forEach((slot) => {
      this.map.set(this.slots.idOf(slot), slot)
    })
    this.#hashIndex = undefined
    this.#endMigration()
  }

  #endMigration(): void {
    this.#migration = undefined
    this.#migrated = 0
  }
}
