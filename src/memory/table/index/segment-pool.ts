import { cellBits } from '../layout.ts'

const numbersPerSegment = 2 << cellBits
/** Segments in one buffer, which then is one mebibyte. */
const segmentsPerBuffer = 16

/**
 * An allocator of cells for segments, in pieces of larger buffers.
 *
 * V8 may do a step of marking wherever a buffer is made. All segments are full at about the same time, so a
 * buffer for each would mean thousands of such steps, close together.
 *
 * Only the piece that a split leaves is recycled. Merged segments get new memory, so that old buffers can be
 * collected: pieces that are used again would pin all of them.
 */
export class SegmentPool {
  #buffer: ArrayBuffer | undefined = undefined
  /** The number of pieces of the buffer that were handed out. */
  #allocated = 0
  #spare: Int32Array | undefined = undefined

  /** Returns cells for a segment, all free. */
  allocate(): Int32Array {
    const spare = this.#spare
    this.#spare = undefined
    return spare?.fill(0) ?? this.#allocateFromBuffer()
  }

  /** Takes back cells that are not used any more. */
  release(cells: Int32Array): void {
    this.#spare = cells
  }

  #allocateFromBuffer(): Int32Array {
    if (this.#buffer === undefined || this.#allocated === segmentsPerBuffer) {
      this.#buffer = new ArrayBuffer(segmentsPerBuffer * numbersPerSegment * Int32Array.BYTES_PER_ELEMENT)
      this.#allocated = 0
    }
    const byteOffset = this.#allocated * numbersPerSegment * Int32Array.BYTES_PER_ELEMENT
    this.#allocated += 1
    return new Int32Array(this.#buffer, byteOffset, numbersPerSegment)
  }
}
