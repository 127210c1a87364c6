import { cellBits } from '../layout.ts'

const numbersPerSegment = 2 << cellBits
/** A mebibyte. */
const segmentsPerBuffer = 16

/**
 * Memory for the cells of segments, in pieces of larger buffers.
 *
 * While V8 marks, it may do a step of that wherever a buffer is made. All segments are full at about the same time, so with
 * a buffer each there would be thousands of such moments, close together.
 *
 * A piece goes back only after a split, and only one is kept. As the index shrinks, each segment becomes a part of a new
 * one: so whole buffers are given up, where pieces that are used again would hold on to all of them.
 */
export class SegmentPool {
  #buffer: ArrayBuffer | undefined = undefined
  /** So many pieces of the buffer are in use. */
  #allocated = 0
  #spare: Int32Array | undefined = undefined

  /** Cells for a segment, all free. */
  allocate(): Int32Array {
    const spare = this.#spare
    this.#spare = undefined
    return spare?.fill(0) ?? this.#allocateFromBuffer()
  }

  /** Nobody uses these cells any more. */
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
