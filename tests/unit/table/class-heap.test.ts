import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ClassHeap } from '../../../src/memory/table/class-heap.ts'
import { IdleClass } from '../../../src/memory/table/idle-class.ts'
import { SlotStore } from '../../../src/memory/table/slot-store.ts'

const slots = new SlotStore<number>()
const classOf = (timeoutMs: number) =>
  new IdleClass(slots, 0, { timeoutMs, maxAgeMs: Number.POSITIVE_INFINITY, order: 'for-sweeps' })

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
      const bounds = new Map<IdleClass<number>, number>()
      const boundOf = (idleClass: IdleClass<number>) => bounds.get(idleClass) ?? Number.NaN
      const heap = new ClassHeap<IdleClass<number>>(boundOf)
      for (const step of actions) {
        const all = [...bounds.keys()]
        if (step.kind === 'add') {
          const idleClass = classOf(1 + bounds.size)
          bounds.set(idleClass, step.bound)
          heap.add(idleClass)
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
          heap.mayBeEarlier(picked)
        }
        const least = Math.min(...bounds.values())
        expect(heap.hasBy(limit)).toBe(least <= limit)
        const first = heap.first(limit)
        if (least === Number.POSITIVE_INFINITY || least > limit) expect(first).toBeUndefined()
        else expect(first === undefined ? undefined : boundOf(first)).toBe(least)
      }
    }),
  )
})

it('leaves the others in it when a class is taken out that never came in', () => {
  const heap = new ClassHeap<IdleClass<number>>(() => 1)
  const inside = classOf(1)
  heap.add(inside)
  heap.remove(classOf(2))

  expect(heap.first()).toBe(inside)
})
