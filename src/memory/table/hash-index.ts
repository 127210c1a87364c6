import { CellMemory } from './cell-memory.ts'
import { newHashKeys } from './hash-keys.ts'
import { HashSegment } from './hash-segment.ts'
import { hashOf } from './id-hash.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/** 2¹⁶ segments hold more entries than memory does; only hashes that are all alike could ask for more. */
const maxDepth = 16

/**
 * Slots by id, for any number of them, in segments that a directory finds by the lowest bits of the hash.
 *
 * A full segment is split in two, as in extendible hashing (Fagin, Nievergelt, Pippenger and Strong, 1979): an insertion
 * moves a few thousand numbers at most, where a `Map` copies itself whole and holds the event loop for all of it.
 *
 * Ids that have the same hash, or nearly, may find no free cell; they go to a `Map`. With secret keys that is a coincidence,
 * which nobody can bring about.
 */
export class HashIndex<T> {
  readonly #slots: SlotStore<T>
  readonly #keys = newHashKeys()
  readonly #memory = new CellMemory()
  #directory = [new HashSegment(0, this.#memory)]
  readonly #crowded = new Map<string, number>()
  size = 0

  constructor(slots: SlotStore<T>) {
    this.#slots = slots
  }

  find(id: string): number {
    const hash = hashOf(id, this.#keys)
    const slot = this.#segmentOf(hash).find(hash, id, this.#slots)
    if (slot !== noSlot || this.#crowded.size === 0) return slot
    return this.#crowded.get(id) ?? noSlot
  }

  /**
   * The slot of an id, or of another one with the same hash, which is for the caller to see; `noSlot` only where there is
   * none of this id.
   *
   * It does not look at the id in the slot. That is a wait for memory, and the caller has others there to wait for as well.
   */
  guess(id: string): number {
    const hash = hashOf(id, this.#keys)
    const slot = this.#segmentOf(hash).guess(hash)
    if (slot !== noSlot || this.#crowded.size === 0) return slot
    return this.#crowded.get(id) ?? noSlot
  }

  /** Adds a slot. There is none of its id. */
  add(id: string, slot: number): void {
    const hash = hashOf(id, this.#keys)
    this.#slots.setHash(slot, hash)
    let segment = this.#segmentOf(hash)
    while (segment.isFull && segment.depth < maxDepth) {
      this.#split(segment, hash)
      segment = this.#segmentOf(hash)
    }
    if (segment.isFull || !segment.add(hash, slot)) this.#crowded.set(id, slot)
    this.size += 1
  }

  /**
   * Takes a slot out, and says whether it was in the index. Of one that was not, any hash may be on record: no entry has
   * its number, so none is taken out.
   */
  remove(slot: number): boolean {
    const hash = this.#slots.hash(slot)
    const segment = this.#segmentOf(hash)
    if (segment.remove(hash, slot)) this.#mergeIfSmall(segment, hash)
    else if (!this.#crowded.delete(this.#slots.idOf(slot))) return false
    this.size -= 1
    return true
  }

  /** All slots, as they are now. */
  forEach(visit: (slot: number) => void): void {
    for (const segment of new Set(this.#directory)) {
      segment.forEach((_hash, slot) => {
        visit(slot)
      })
    }
    for (const slot of this.#crowded.values()) visit(slot)
  }

  #segmentOf(hash: number): HashSegment {
    // The directory has a power of two of entries.
    return this.#directory[hash & (this.#directory.length - 1)] as HashSegment
  }

  #split(segment: HashSegment, hash: number): void {
    const bit = 1 << segment.depth
    if (bit === this.#directory.length) this.#directory = [...this.#directory, ...this.#directory]
    const without = new HashSegment(segment.depth + 1, this.#memory)
    const having = new HashSegment(segment.depth + 1, this.#memory)
    this.#assign(hash & (bit - 1), bit * 2, without)
    this.#assign((hash & (bit - 1)) | bit, bit * 2, having)
    segment.forEach((entry, slot) => {
      this.#move(entry & bit ? having : without, entry, slot)
    })
    segment.giveBack(this.#memory)
  }

  /** A segment and its other half become one again when they are nearly empty, so that memory follows the sessions. */
  #mergeIfSmall(segment: HashSegment, hash: number): void {
    if (segment.depth === 0) return
    const bit = 1 << (segment.depth - 1)
    const other = this.#segmentOf(hash ^ bit)
    if (other.depth !== segment.depth || !segment.canTakeIn(other)) return
    const whole = new HashSegment(segment.depth - 1, this.#memory)
    this.#assign(hash & (bit - 1), bit, whole)
    for (const half of [segment, other]) {
      half.forEach((entry, slot) => {
        this.#move(whole, entry, slot)
      })
    }
  }

  #move(segment: HashSegment, hash: number, slot: number): void {
    if (!segment.add(hash, slot)) this.#crowded.set(this.#slots.idOf(slot), slot)
  }

  /** Each `step`th entry of the directory is for this segment. */
  #assign(first: number, step: number, segment: HashSegment): void {
    for (let at = first; at < this.#directory.length; at += step) this.#directory[at] = segment
  }
}
