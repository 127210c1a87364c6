import { describe, expect, it } from 'vitest'
import { SegmentPool } from '../../../src/memory/table/index/segment-pool.ts'

const numbersPerSegment = 2 * 2 ** 13
const segmentsPerBuffer = 16

function take(memory: SegmentPool, count: number): Int32Array[] {
  return Array.from({ length: count }, () => memory.allocate())
}

describe('the memory for cells', () => {
  it('gives each segment cells of its own, all free', () => {
    const pieces = take(new SegmentPool(), 2 * segmentsPerBuffer + 1)
    for (const [at, piece] of pieces.entries()) {
      expect([piece.length, piece.every((number) => number === 0)]).toEqual([numbersPerSegment, true])
      piece.fill(at + 1)
    }

    for (const [at, piece] of pieces.entries()) expect(piece.every((number) => number === at + 1)).toBe(true)
  })

  it('makes one buffer for sixteen segments', () => {
    const pieces = take(new SegmentPool(), 2 * segmentsPerBuffer + 1)
    const buffers = pieces.map((piece) => piece.buffer)

    expect(new Set(buffers).size).toBe(3)
    expect(new Set(buffers.slice(0, segmentsPerBuffer)).size).toBe(1)
    expect(new Set(buffers.slice(segmentsPerBuffer, 2 * segmentsPerBuffer)).size).toBe(1)
  })

  it('uses again what was given back last, emptied', () => {
    const memory = new SegmentPool()
    const [former, last] = take(memory, 2) as [Int32Array, Int32Array]
    last.fill(7)
    memory.release(former)
    memory.release(last)
    const [again, other] = take(memory, 2) as [Int32Array, Int32Array]

    expect(again).toBe(last)
    expect(again.every((number) => number === 0)).toBe(true)
    expect([other === former, other === last]).toEqual([false, false])
  })
})
