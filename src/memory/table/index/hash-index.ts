import { noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { newHashKeys } from './hash-keys.ts'
import { HashSegment } from './hash-segment.ts'
import { hashOf } from './id-hash.ts'
import { SegmentPool } from './segment-pool.ts'

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
export class HashIndex {
  readonly #slots: SlotStore
  readonly #keys = newHashKeys()
  readonly #pool = new SegmentPool()
  #directory = [new HashSegment(0, this.#pool)]
  readonly #overflow = new Map<string, Slot>()
  size = 0

  constructor(slots: SlotStore) {
    this.#slots = slots
  }

  find(id: string): Slot {
    const hash = hashOf(id, this.#keys)
    const slot = this.#segmentOf(hash).find(hash, id, this.#slots)
    if (slot !== noSlot || this.#overflow.size === 0) return slot
    return this.#overflow.get(id) ?? noSlot
  }

  /**
   * The slot of an id, or of another one with the same hash, which is for the caller to see; `noSlot` only where there is
   * none of this id.
   *
   * It does not look at the id in the slot. That is a wait for memory, and the caller has others there to wait for as well.
   */
  candidate(id: string): Slot {
    const hash = hashOf(id, this.#keys)
    const slot = this.#segmentOf(hash).candidate(hash)
    if (slot !== noSlot || this.#overflow.size === 0) return slot
    return this.#overflow.get(id) ?? noSlot
  }

  /** Adds a slot. There is none of its id. */
  add(id: string, slot: Slot): void {
    const hash = hashOf(id, this.#keys)
    this.#slots.setHash(slot, hash)
    let segment = this.#segmentOf(hash)
    while (segment.isFull && segment.depth < maxDepth) {
      this.#split(segment, hash)
      segment = this.#segmentOf(hash)
    }
    if (segment.isFull || !segment.add(hash, slot)) this.#overflow.set(id, slot)
    this.size += 1
  }

  /**
   * Takes a slot out, and says whether it was in the index. Of one that was not, any hash may be on record: no entry has
   * its number, so none is taken out.
   */
  remove(slot: Slot): boolean {
    const hash = this.#slots.hash(slot)
    const segment = this.#segmentOf(hash)
    if (segment.remove(hash, slot)) this.#mergeIfSmall(segment, hash)
    else if (!this.#overflow.delete(this.#slots.idOf(slot))) return false
    this.size -= 1
    return true
  }

  /** All slots, as they are now. */
  forEach(visit: (slot: Slot) => void): void {
    for (const segment of new Set(this.#directory)) {
      segment.forEach((_hash, slot) => {
        visit(slot)
      })
    }
    for (const slot of this.#overflow.values()) visit(slot)
  }

  #segmentOf(hash: number): HashSegment {
    // The directory has a power of two of entries.
    return this.#directory[hash & (this.#directory.length - 1)] as HashSegment
  }

  #split(segment: HashSegment, hash: number): void {
    const bit = 1 << segment.depth
    if (bit === this.#directory.length) this.#directory = [...this.#directory, ...this.#directory]
    const withoutBit = new HashSegment(segment.depth + 1, this.#pool)
    const withBit = new HashSegment(segment.depth + 1, this.#pool)
    this.#assign(hash & (bit - 1), bit * 2, withoutBit)
    this.#assign((hash & (bit - 1)) | bit, bit * 2, withBit)
    segment.forEach((entry, slot) => {
      this.#move(entry & bit ? withBit : withoutBit, entry, slot)
    })
    segment.release(this.#pool)
  }

  /** A segment and its other half become one again when they are nearly empty, so that memory follows the sessions. */
  #mergeIfSmall(segment: HashSegment, hash: number): void {
    if (segment.depth === 0) return
    const bit = 1 << (segment.depth - 1)
    const other = this.#segmentOf(hash ^ bit)
    if (other.depth !== segment.depth || !segment.canMerge(other)) return
    const merged = new HashSegment(segment.depth - 1, this.#pool)
    this.#assign(hash & (bit - 1), bit, merged)
    for (const half of [segment, other]) {
      half.forEach((entry, slot) => {
        this.#move(merged, entry, slot)
      })
    }
  }

  #move(segment: HashSegment, hash: number, slot: Slot): void {
    if (!segment.add(hash, slot)) this.#overflow.set(this.#slots.idOf(slot), slot)
  }

  /** Each `step`th entry of the directory is for this segment. */
  #assign(first: number, step: number, segment: HashSegment): void {
    for (let at = first; at < this.#directory.length; at += step) this.#directory[at] = segment
  }
}
