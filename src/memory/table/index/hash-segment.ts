import { cellBits, cellMask, maxCount, maxCountToMerge, maxProbes, noSlot, type Slot } from '../layout.ts'
import { asSlot } from '../slots/as-slot.ts'
import type { SegmentPool } from './segment-pool.ts'

/**
 * A part of a hash index: some thousand cells, each with a hash and the slot that has it, by linear probing.
 *
 * It never grows: one that is full is split. So no insertion moves more than a few thousand numbers.
 */
export class HashSegment {
  /** Of each cell the hash and the slot, `noSlot` in a free one. */
  readonly #cells: Int32Array
  /** How many of the lowest bits are the same in all hashes of the segment. */
  readonly depth: number
  count = 0

  constructor(depth: number, pool: SegmentPool) {
    this.depth = depth
    this.#cells = pool.allocate()
  }

  get isFull(): boolean {
    return this.count >= maxCount
  }

  /** Nobody uses the segment any more. */
  release(pool: SegmentPool): void {
    pool.release(this.#cells)
  }

  canMerge(other: HashSegment): boolean {
    return this.count + other.count <= maxCountToMerge
  }

  /** A slot whose id has this hash; there may be others. */
  candidate(hash: number): Slot {
    let cell = hash >>> (32 - cellBits)
    for (let probe = 0; probe < maxProbes; probe += 1) {
      const slot = asSlot(this.#cells[cell * 2 + 1])
      if (slot === noSlot || this.#cells[cell * 2] === hash) return slot
      cell = (cell + 1) & cellMask
    }
    return noSlot
  }

  /** The slot of an id. */
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

  /** Adds an entry, unless there is no free cell near its own. */
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

  /** Takes an entry out, and says whether it was here. */
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

  /** All entries, as they are now. */
  forEach(visit: (hash: number, slot: Slot) => void): void {
    const cells = this.#cells
    for (let at = 0; at < cells.length; at += 2) {
      const slot = asSlot(cells[at + 1])
      if (slot !== noSlot) visit(cells[at] as number, slot)
    }
  }

  /** Frees a cell. What was put behind it for want of a free one moves up, so that no search ends too early. */
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
