import { describe, expect, it } from 'vitest'
import { LinkedQueue, type QueueEntry } from '../../src/core/async/linked-queue.ts'
import fc from '../support/fast-check.ts'

function queueOf(...values: string[]) {
  const queue = new LinkedQueue<string>()
  const entries = values.map((value) => queue.push(value))
  return { queue, entries }
}

describe('LinkedQueue', () => {
  it('shift: removes the oldest entry, and returns nothing from an empty queue', () => {
    const { queue } = queueOf('a', 'b')

    expect([queue.first, queue.shift(), queue.shift(), queue.shift()]).toEqual(['a', 'a', 'b', undefined])
    expect(queue.size).toBe(0)
    expect(queue.first).toBeUndefined()
  })

  it('unshift: inserts ahead of all others', () => {
    const { queue } = queueOf('a')
    queue.unshift('b')
    queue.push('c')

    expect([...queue]).toEqual(['b', 'a', 'c'])
  })

  it.each([0, 1, 2])('remove: removes an entry once (at %i)', (at) => {
    const { queue, entries } = queueOf('a', 'b', 'c')

    expect(entries[at]?.remove()).toBe(true)
    expect(entries[at]?.remove()).toBe(false)
    expect([...queue]).toEqual(['a', 'b', 'c'].toSpliced(at, 1))
    expect(queue.size).toBe(2)
  })

  it('remove: does nothing for an entry that was shifted', () => {
    const { queue, entries } = queueOf('a', 'b')
    queue.shift()

    expect(entries[0]?.remove()).toBe(false)
    expect([...queue]).toEqual(['b'])
  })

  it('remove: the removed entry keeps no other alive', () => {
    const { queue, entries } = queueOf('a', 'b', 'c')
    queue.takeAll()

    expect(entries.map((entry) => Object.values(entry).filter((field) => typeof field === 'object'))).toEqual(
      [[], [], []],
    )
  })

  it('takeAll: empties the queue, in order', () => {
    const { queue } = queueOf('a', 'b', 'c')

    expect(queue.takeAll()).toEqual(['a', 'b', 'c'])
    expect([...queue]).toEqual([])
    queue.push('d')
    expect([...queue]).toEqual(['d'])
  })

  it('iteration: sees the entries as they were when it began', () => {
    const { queue, entries } = queueOf('a', 'b', 'c')
    const seen: string[] = []
    for (const value of queue) {
      seen.push(value)
      entries[1]?.remove()
      if (value === 'a') queue.push('d')
    }

    expect(seen).toEqual(['a', 'b', 'c'])
  })

  it('property: any sequence of calls behaves like an array', () => {
    const commands = fc.array(
      fc.oneof(
        fc.constantFrom('push' as const, 'unshift' as const, 'shift' as const),
        fc.record({ remove: fc.nat(20) }),
      ),
    )
    fc.assert(
      fc.property(commands, (given) => {
        const queue = new LinkedQueue<number>()
        const entries: QueueEntry<number>[] = []
        let model: number[] = []
        for (const command of given) {
          const next = entries.length
          if (command === 'shift') {
            expect(queue.shift()).toBe(model.shift())
          } else if (typeof command === 'string') {
            entries.push(queue[command](next))
            model[command](next)
          } else {
            const entry = entries[command.remove]
            expect(entry?.remove() ?? false).toBe(model.includes(command.remove))
            model = model.filter((value) => value !== command.remove)
          }
          expect([...queue]).toEqual(model)
          expect(queue.size).toBe(model.length)
          expect(queue.first).toBe(model[0])
        }
      }),
    )
  })
})
