import { expect, it } from 'vitest'
import { BinaryHeap } from '../../../src/memory/table/expiry/binary-heap.ts'
import fc from '../../support/fast-check.ts'

it('binary heap: gives its entries by their keys, whatever was added, taken and filtered', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('push'), key: fc.nat(50) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('shift'), key: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('filter'), key: fc.integer({ min: 1, max: 4 }) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const heap = new BinaryHeap<{ readonly key: number }>((one, other) => one.key < other.key)
      let model: number[] = []
      for (const { do: what, key } of steps) {
        if (what === 'push') {
          heap.push({ key })
          model = [...model, key].toSorted((a, b) => a - b)
        } else if (what === 'shift') {
          const [least] = model.splice(0, 1)
          expect(heap.first?.key).toBe(least)
          heap.shift()
        } else {
          heap.filter((entry) => entry.key % key === 0)
          model = model.filter((one) => one % key === 0)
        }
        expect(heap.first?.key).toBe(model[0])
        expect(heap.size).toBe(model.length)
      }
      for (const key of model) {
        expect(heap.first?.key).toBe(key)
        heap.shift()
      }
      expect(heap.first).toBeUndefined()
    }),
  )
})
