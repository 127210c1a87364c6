import { cellBits, cellMask, maxCount, maxCountToMerge, maxProbes, noSlot, type Slot } from '../layout.ts'
import { asSlot } from '../slots/as-slot.ts'
import type { SegmentPool } from './segment-pool.ts'

/**
 * A part of a hash index: cells of a hash and its slot, with linear probing. It never grows; a full one is
 * split.
 */
export class HashSegment {
  /** Two numbers for each cell: the hash, and the slot, which is `noSlot` in a free cell. */
  readonly #cells: Int32Array
  /** The number of lowest bits that all hashes of the segment share. */
  readonly depth: number
  count = 0

  constructor(depth: number, pool: SegmentPool) {
    this.depth = depth
    this.#cells = pool.allocate()
  }

  get isFull(): boolean {
    return this.count >= maxCount
  }

  /** Returns the memory of the segment, which is not used again. */
  release(pool: SegmentPool): void {
    pool.release(this.#cells)
  }

  canMerge(other: HashSegment): boolean {
    return this.count + other.count <= maxCountToMerge
  }

  /** Returns a slot whose id has this hash. There may be others. */
  candidate(hash: number): Slot {
    let cell = hash >>> (32 - cellBits)
    for (let probe = 0; probe < maxProbes; probe += 1) {
      const slot = asSlot(this.#cells[cell * 2 + 1])
      if (slot === noSlot || this.#cells[cell * 2] === hash) return slot
      cell = (cell + 1) & cellMask
    }
    return noSlot
  }

  /** Returns the slot of an id. */
  find(hash: number, id: string, slots: { idOf(slot: Slot): string }): Slot {
    let cell = hash >>> (32 - cellBits)
    for (let probe = 0; probe < maxProbes; probe += 1) {
      const slot = asSlot(this.#cells[cell * 2 + 1])
      if (slot === noSlot) return noSlot
      if (this.#cells[cell * 2] === hash && slots.idOf(slot) === id) return slot
      cell = (cell + 1) & cellMask
    }
    return noSlot
  }

  /** Adds an entry. Returns `false`, and does nothing, if there is no free cell near its own. */
  add(hash: number, slot: Slot): boolean {
    let cell = hash >>> (32 - cellBits)
    for (let probe = 0; probe < maxProbes; probe += 1) {
      if (this.#cells[cell * 2 + 1] === noSlot) {
        this.#cells[cell * 2] = hash
        this.#cells[cell * 2 + 1] = slot
        this.count += 1
        return true
      }
      cell = (cell + 1) & cellMask
    }
    return false
  }

  /** Removes an entry. Returns whether it was here. */
  remove(hash: number, slot: Slot): boolean {
    let cell = hash >>> (32 - cellBits)
    for (let probe = 0; probe < maxProbes; probe += 1) {
      const found = this.#cells[cell * 2 + 1]
      if (found === slot) {
        this.#backwardShift(cell)
        this.count -= 1
        return true
      }
      if (found === noSlot) return false
      cell = (cell + 1) & cellMask
    }
    return false
  }

  /** Passes each entry to `visit`, which must not change the segment. */
  forEach(visit: (hash: number, slot: Slot) => void): void {
    const cells = this.#cells
    for (let at = 0; at < cells.length; at += 2) {
      const slot = asSlot(cells[at + 1])
      if (slot !== noSlot) visit(cells[at] as number, slot)
    }
  }

  /**
   * Frees a cell. Entries that were put behind it for want of a free one move up, so that no probe ends too
   * early.
   */
  #backwardShift(removed: number): void {
    let hole = removed
    let cell = removed
    for (;;) {
      cell = (cell + 1) & cellMask
      const slot = asSlot(this.#cells[cell * 2 + 1])
      if (slot === noSlot) break
      const hash = this.#cells[cell * 2] as number
      const probeDistance = (cell - (hash >>> (32 - cellBits))) & cellMask
      if (probeDistance >= ((cell - hole) & cellMask)) {
        this.#cells[hole * 2] = hash
        this.#cells[hole * 2 + 1] = slot
        hole = cell
      }
    }
    this.#cells[hole * 2 + 1] = noSlot
  }
}
