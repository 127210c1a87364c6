import { expect, it } from 'vitest'
import { LowerBoundHeap } from '../../../src/memory/table/expiry/lower-bound-heap.ts'
import { TimeoutQueue } from '../../../src/memory/table/expiry/timeout-queue.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import fc from '../../support/fast-check.ts'

const slots = new SlotStore()
const classOf = (timeoutMs: number) =>
  new TimeoutQueue(slots, 0, { timeoutMs, maxAgeMs: Number.POSITIVE_INFINITY, precision: 'for-sweeps' })

it('finds the class whose moment comes first, however the moments have moved on', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), bound: fc.nat(50) }),
    fc.record({ kind: fc.constant('remove' as const), pick: fc.nat(20) }),
    fc.record({ kind: fc.constant('later' as const), pick: fc.nat(20), by: fc.nat(30) }),
    fc.record({ kind: fc.constant('earlier' as const), pick: fc.nat(20), by: fc.nat(30) }),
    fc.record({ kind: fc.constant('never' as const), pick: fc.nat(20) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), fc.nat(60), (actions, limit) => {
      const bounds = new Map<TimeoutQueue, number>()
      const boundOf = (queue: TimeoutQueue) => bounds.get(queue) ?? Number.NaN
      const heap = new LowerBoundHeap<TimeoutQueue>(boundOf)
      for (const step of actions) {
        const all = [...bounds.keys()]
        if (step.kind === 'add') {
          const queue = classOf(1 + bounds.size)
          bounds.set(queue, step.bound)
          heap.add(queue)
          continue
        }
        const picked = all[step.pick % Math.max(1, all.length)]
        if (picked === undefined) continue
        if (step.kind === 'remove') {
          bounds.delete(picked)
          heap.remove(picked)
        } else if (step.kind === 'later') {
          bounds.set(picked, boundOf(picked) + step.by)
        } else if (step.kind === 'never') {
          bounds.set(picked, Number.POSITIVE_INFINITY)
        } else {
          bounds.set(picked, boundOf(picked) - step.by)
          heap.decreaseKey(picked)
        }
        const least = Math.min(...bounds.values())
        expect(heap.hasDueBy(limit)).toBe(least <= limit)
        const first = heap.first(limit)
        if (least === Number.POSITIVE_INFINITY || least > limit) expect(first).toBeUndefined()
        else expect(first === undefined ? undefined : boundOf(first)).toBe(least)
      }
    }),
  )
})

it('leaves the others in it when a class is taken out that never came in', () => {
  const heap = new LowerBoundHeap<TimeoutQueue>(() => 1)
  const inside = classOf(1)
  heap.add(inside)
  heap.remove(classOf(2))

  expect(heap.first()).toBe(inside)
})
