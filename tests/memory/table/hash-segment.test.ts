import { describe, expect, it } from 'vitest'
import { HashSegment } from '../../../src/memory/table/index/hash-segment.ts'
import { SegmentPool } from '../../../src/memory/table/index/segment-pool.ts'
import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { asSlot } from '../../../src/memory/table/slots/as-slot.ts'
import { Random } from '../../support/random.ts'

const cells = 2 ** 13
const reach = 64
const anyOne = () => true

/** Finds the slot of this hash for which `isIt` holds: a slot has the wanted id, or another one. */
function find(segment: HashSegment, hash: number, isIt: (slot: Slot) => boolean): number {
  return segment.find(hash, 'wanted', { idOf: (slot) => (isIt(slot) ? 'wanted' : 'another') })
}

const add = (segment: HashSegment, hash: number, slot: number) => segment.add(hash, asSlot(slot))
const remove = (segment: HashSegment, hash: number, slot: number) => segment.remove(hash, asSlot(slot))

/** A hash whose entry belongs in a cell; the rest of it tells apart those that share the cell. */
const hashIn = (cell: number, rest = 0) => ((cell << 19) | rest) >> 0

function slotsIn(segment: HashSegment): [hash: number, slot: Slot][] {
  const entries: [hash: number, slot: Slot][] = []
  segment.forEach((hash, slot) => {
    entries.push([hash, slot])
  })
  return entries
}

describe('a segment of a hash index', () => {
  it('finds nothing at first', () => {
    const segment = new HashSegment(3, new SegmentPool())

    expect(find(segment, hashIn(5), anyOne)).toBe(noSlot)
    expect(remove(segment, hashIn(5), 7)).toBe(false)
    expect([segment.count, segment.depth, segment.isFull]).toEqual([0, 3, false])
    expect(slotsIn(segment)).toEqual([])
  })

  it('asks which it is among those of the same hash, and of no others', () => {
    const segment = new HashSegment(0, new SegmentPool())
    const asked: number[] = []
    for (const slot of [11, 12, 13]) add(segment, hashIn(9, 1), slot)
    add(segment, hashIn(9, 2), 14)
    const isIt = (wanted: number) => (slot: Slot) => {
      asked.push(slot)
      return slot === wanted
    }

    expect([segment.candidate(hashIn(9, 1)), segment.candidate(hashIn(9, 2))]).toEqual([11, 14])
    expect([segment.candidate(hashIn(9, 3)), segment.candidate(hashIn(8))]).toEqual([noSlot, noSlot])
    expect(find(segment, hashIn(9, 1), isIt(13))).toBe(13)
    expect(find(segment, hashIn(9, 1), isIt(15))).toBe(noSlot)
    expect(find(segment, hashIn(9, 2), isIt(14))).toBe(14)
    expect(asked).toEqual([11, 12, 13, 11, 12, 13, 14])
  })

  it.each([100, cells - 1, cells - 20])('takes 64 that belong in cell %i, and no more', (cell) => {
    const segment = new HashSegment(0, new SegmentPool())
    const added = Array.from({ length: reach + 1 }, (_, at) => add(segment, hashIn(cell, at), at + 1))
    expect(added).toEqual([...Array.from({ length: reach }, () => true), false])
    expect(segment.count).toBe(reach)
    expect(find(segment, hashIn(cell, reach), anyOne)).toBe(noSlot)
    expect(segment.candidate(hashIn(cell, reach))).toBe(noSlot)

    // The cell after it has one free cell in its reach, and the cell before it is free itself.
    expect(add(segment, hashIn((cell + 1) % cells), 1_001)).toBe(true)
    expect(add(segment, hashIn((cell + 1) % cells, 1), 1_002)).toBe(false)
    expect(add(segment, hashIn(cell - 1), 1_003)).toBe(true)
    expect(remove(segment, hashIn(cell, 3), 4)).toBe(true)
    // What was behind the freed cell has moved up, that of the next cell included.
    expect(add(segment, hashIn(cell, reach), 1_004)).toBe(false)
    expect(remove(segment, hashIn((cell + 1) % cells), 1_001)).toBe(true)
    expect(add(segment, hashIn(cell, reach), 1_004)).toBe(true)
    expect(find(segment, hashIn(cell, reach), anyOne)).toBe(1_004)
    expect(find(segment, hashIn(cell, reach - 1), anyOne)).toBe(reach)
    expect(segment.candidate(hashIn(cell, reach))).toBe(1_004)
  })

  it('does not count one out that is not in it', () => {
    const segment = new HashSegment(0, new SegmentPool())
    add(segment, hashIn(1), 5)

    expect(remove(segment, hashIn(1), 6)).toBe(false)
    expect(remove(segment, hashIn(2), 5)).toBe(false)
    expect(segment.count).toBe(1)
    expect(remove(segment, hashIn(1), 5)).toBe(true)
    expect(remove(segment, hashIn(1), 5)).toBe(false)
    expect(segment.count).toBe(0)
  })

  it('is full before look-ups get long, and takes in another one only while both are nearly empty', () => {
    const [segment, other] = [new HashSegment(1, new SegmentPool()), new HashSegment(1, new SegmentPool())]
    const random = new Random(1)
    const add = (to: HashSegment) =>
      to.add(hashIn(random.below(cells), random.below(2 ** 19)), asSlot(to.count + 1))
    while (segment.count < cells / 8) add(segment)
    while (other.count < cells / 8) add(other)
    expect(segment.canMerge(other)).toBe(true)
    add(other)
    expect(segment.canMerge(other)).toBe(false)
    while (!segment.isFull) if (!add(segment)) expect.fail(`no cell was free at ${segment.count}`)

    expect(segment.count / cells).toBeCloseTo(0.625, 2)
    expect(slotsIn(segment)).toHaveLength(segment.count)
  })

  it.each([
    [
      'crowded into a few cells around the end',
      [0, 1, 2, 40, cells - 1, cells - 2, cells - 3, cells - 30],
      1,
    ],
    [
      'crowded into a few cells around the end',
      [0, 1, 2, 40, cells - 1, cells - 2, cells - 3, cells - 30],
      2,
    ],
    ['crowded into few cells', Array.from({ length: 60 }, (_, at) => 4_000 + at * 3), 3],
    ['crowded around the end', Array.from({ length: 200 }, (_, at) => (cells - 100 + at) % cells), 4],
    ['spread over all', Array.from({ length: cells }, (_, at) => at), 5],
  ])('has what a Map has, with hashes that are %s', (_name, homes, seed) => {
    const segment = new HashSegment(0, new SegmentPool())
    const model = new Map<number, number>()
    const random = new Random(seed)
    const fail = (what: string) => expect.fail(`${what}, with ${model.size} entries and the seed ${seed}`)
    let refused = 0
    for (let step = 1; step <= 30_000; step += 1) {
      const isGrowing = Math.floor(step / 5_000) % 2 === 0
      if (random.chance(isGrowing ? 0.7 : 0.3)) {
        const hash = hashIn(random.pick(homes), random.below(4))
        if (segment.isFull) continue
        if (add(segment, hash, step)) model.set(step, hash)
        else if (model.size < reach) fail(`slot ${step} was refused`)
        else refused += 1
        const found = find(segment, hash, (slot) => slot === step)
        if ((found === step) !== model.has(step)) fail(`slot ${step} was found wrongly`)
      } else if (model.size > 0) {
        const slot = 1 + random.below(step)
        const hash = model.get(slot) ?? hashIn(random.pick(homes))
        if (remove(segment, hash, slot) !== model.delete(slot)) fail(`slot ${slot} was removed wrongly`)
      }
      if (segment.count !== model.size) fail('the count was wrong')
      if (step % 500 > 0) continue
      for (const [slot, hash] of model)
        if (find(segment, hash, (candidate) => candidate === slot) !== slot) fail(`slot ${slot} was lost`)
      const entries = new Map(slotsIn(segment).map(([hash, slot]): [number, number] => [slot, hash]))
      if (slotsIn(segment).length !== model.size) fail('a walk gave too many or too few')
      for (const [slot, hash] of model) if (entries.get(slot) !== hash) fail(`slot ${slot} was not walked`)
    }
    if (homes.length < 100) expect(refused).toBeGreaterThan(0)
    for (const [slot, hash] of model) if (!remove(segment, hash, slot)) fail(`slot ${slot} stayed`)
    expect(slotsIn(segment)).toEqual([])
  })
})
