import { describe, expect, it } from 'vitest'
import { Tombstones } from '../../../src/memory/tombstones/tombstones.ts'
import { Random } from '../../support/random.ts'

describe('tombstones', () => {
  it('keep what a map of the last ones keeps, through growth and overwriting', () => {
    const generator = new Random(7)
    for (const maxTombstones of [1, 2, 63, 64, 65, 1_000]) {
      const tombstones = new Tombstones({ tombstoneMs: 1e9, maxTombstones })
      // Each end takes a place, also one of an id that has another: the last places count.
      let places: string[] = []
      const expected = new Map<string, number>()
      for (let step = 0; step < 5_000; step += 1) {
        const id = `id ${Math.floor(generator.next() * maxTombstones * 3)}`
        tombstones.add(id, undefined, { reason: 'idle', endedAt: step })
        places = [...places.map((place) => (place === id ? '' : place)), id]
        expected.set(id, step)
        if (places.length > maxTombstones) expected.delete(places.shift() ?? '')
        const asked = `id ${Math.floor(generator.next() * maxTombstones * 3)}`
        expect(tombstones.find(asked, undefined, 0)?.endedAt, `step ${step}`).toBe(expected.get(asked))
      }
    }
  })
})
