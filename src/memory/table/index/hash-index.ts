import { noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { newHashKeys } from './hash-keys.ts'
import { HashSegment } from './hash-segment.ts'
import { hashOf } from './id-hash.ts'
import { SegmentPool } from './segment-pool.ts'

/** Bits of a hash that choose the segment: this many segments hold more entries than memory does. */
const maxDepth = 16

/**
 * A hash index of slots by id, for any number of them: a directory of segments, by the lowest bits of the
 * hash.
 *
 * A full segment is split in two (_extendible hashing_: Fagin, Nievergelt, Pippenger and Strong, 1979). An
 * insertion moves the entries of one segment at most, where a `Map` copies itself whole and blocks the event
 * loop.
 *
 * An id that finds no free cell near its own goes to an overflow `Map`. Under secret keys that is a
 * coincidence, which no choice of ids can bring about.
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
   * Returns the slot of an id, or of another id with the same hash; `noSlot` only if the id is not in the
   * index.
   *
   * It does not compare the id in the slot, which is a wait for memory: the caller reads other fields there
   * anyway, and waits for all of them at once.
   */
  candidate(id: string): Slot {
    const hash = hashOf(id, this.#keys)
    const slot = this.#segmentOf(hash).candidate(hash)
    if (slot !== noSlot || this.#overflow.size === 0) return slot
    return this.#overflow.get(id) ?? noSlot
  }

  /** Adds a slot whose id is not in the index. */
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
   * Removes a slot. Returns whether it was in the index. A slot that was not may have any hash on record: no
   * entry has its number, so none is removed.
   */
  remove(slot: Slot): boolean {
    const hash = this.#slots.hash(slot)
    const segment = this.#segmentOf(hash)
    if (segment.remove(hash, slot)) this.#mergeIfSmall(segment, hash)
    else if (!this.#overflow.delete(this.#slots.idOf(slot))) return false
    this.size -= 1
    return true
  }

  /** Passes each slot to `visit`, which must not change the index. */
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

  /** Merges a segment with its other half when both are nearly empty, so that memory follows the sessions. */
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

  /** Sets each `step`th entry of the directory. */
  #assign(first: number, step: number, segment: HashSegment): void {
    for (let at = first; at < this.#directory.length; at += step) this.#directory[at] = segment
  }
}
