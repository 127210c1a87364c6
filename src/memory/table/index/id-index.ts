import { maxInMap, migrationBatch, minInHashIndex, noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { HashIndex } from './hash-index.ts'

/**
 * Slots by id: one `Map` while it is small, then a hash index, with migration in small batches (_incremental
 * rehashing_).
 *
 * ```
 *   up to maxInMap          Map                   fastest, since V8 keeps the hash of a string with it
 *   from there              Map + HashIndex       migration: a new id goes to the index, and brings along
 *                                                 `migrationBatch` ids of the Map
 *   all ids copied          HashIndex             the Map was cleared at once
 *   below minInHashIndex    Map
 *
 *   HashIndex ─▶ directory ─▶ HashSegment         extendible hashing: a full segment is split
 *                             cells of SegmentPool, hashes of `id-hash.ts` under secret keys
 * ```
 *
 * V8 copies a `Map` when it doubles or halves, and blocks the event loop for all of it; its size is limited,
 * too. During the migration an entry stays in the `Map`, so a look-up of it needs one probe.
 */
export class IdIndex {
  declare private readonly slots: SlotStore
  /** The `Map`. It stays the same object. */
  readonly map = new Map<string, Slot>()
  #hashIndex: HashIndex | undefined = undefined
  /** The slots that are in the `Map` and not yet in the hash index. */
  #migration: Iterator<Slot, undefined> | undefined = undefined
  /** The number of slots in both. */
  #migrated = 0

  constructor(slots: SlotStore) {
    this.slots = slots
  }

  get size(): number {
    return this.#hashIndex === undefined
      ? this.map.size
      : this.map.size + this.#hashIndex.size - this.#migrated
  }

  /** Returns the slot of an id; `noSlot` also for what is not a string. */
  find(id: string): Slot {
    const slot = this.map.get(id)
    if (slot !== undefined) return slot
    return this.#hashIndex !== undefined && typeof id === 'string' ? this.#hashIndex.find(id) : noSlot
  }

  /**
   * Returns the slot of an id that is not in the `Map`, or of another id with the same hash; else `noSlot`.
   */
  candidateInHashIndex(id: string): Slot {
    return this.#hashIndex !== undefined && typeof id === 'string' ? this.#hashIndex.candidate(id) : noSlot
  }

  /** Adds a slot whose id is not in the index. */
  add(id: string, slot: Slot): void {
    if (this.#hashIndex === undefined && this.map.size < maxInMap) this.map.set(id, slot)
    else this.#addToHashIndex(id, slot)
  }

  /** Removes a slot that is in the index. */
  remove(slot: Slot): void {
    const wasInMap = this.map.size > 0 && this.map.delete(this.slots.idOf(slot))
    if (this.#hashIndex === undefined) return
    if (this.#hashIndex.remove(slot) && wasInMap) this.#migrated -= 1
    if (this.size < minInHashIndex) this.#shrinkToMap(this.#hashIndex)
  }

  /** Removes all ids at once. */
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
