import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { RegistryEmitter } from '../../../src/core/events/listener-tracker.ts'
import { maxDelayMs, systemClock } from '../../../src/core/time/clock.ts'
import { TimeoutList } from '../../../src/core/time/timeout-list.ts'
import fc from '../../support/fast-check.ts'
import { quietStep } from '../../support/quiet-step.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'
import { newTimeoutList as newList } from './new-timeout-list.ts'

describe('a timeout list', () => {
  it('a wait: not due one millisecond before the duration, due exactly at it, once', () => {
    const { clock, list, due } = newList()
    list.add('a')
    clock.advance(99)
    expect(due).toEqual([])
    clock.advance(1)
    expect(due).toEqual([['a', 100]])
    clock.advance(1_000)

    expect(due).toEqual([['a', 100]])
    expect(clock.pending).toBe(0)
  })

  it('several waits: have one timer, and each is due at its own time, in order', () => {
    const { clock, list, due } = newList()
    list.add('a')
    list.add('b')
    clock.advance(30)
    list.add('c')
    expect(clock.pending).toBe(1)
    clock.advance(1_000)

    expect(due).toEqual([
      ['a', 100],
      ['b', 100],
      ['c', 130],
    ])
    expect(clock.pending).toBe(0)
  })

  it('cancel: that wait is not due, whatever its place; the timer stays for the others', () => {
    const { clock, list, due } = newList()
    const [first, , middle, , last] = ['a', 'b', 'c', 'd', 'e'].map((value) => list.add(value))
    for (const entry of [middle, last, first, middle]) entry?.cancel()
    expect(clock.pending).toBe(1)
    clock.advance(1_000)

    expect(due.map(([value]) => value)).toEqual(['b', 'd'])
  })

  it('cancel of the last one: there is no timer, and the next wait starts one', () => {
    const { clock, list, due } = newList()
    const entry = list.add('a')
    clock.advance(50)
    entry.cancel()
    expect(clock.pending).toBe(0)
    entry.cancel()
    list.add('b')
    clock.advance(99)
    expect(due).toEqual([])
    clock.advance(1)

    expect(due).toEqual([['b', 150]])
  })

  it('cancel: arms no timer, which fires for what has left and is armed for the rest', () => {
    const tracking = new TrackingClock()
    const { clock, list, due } = newList({ tracking })
    const entry = list.add('a')
    clock.advance(60)
    list.add('b')
    entry.cancel()
    expect(tracking.delays).toEqual([100])
    clock.advance(1_000)

    expect(due).toEqual([['b', 160]])
    expect(tracking.delays).toEqual([100, 60])
  })

  it('a cancelled wait: keeps no other alive', () => {
    const { list } = newList()
    const entries = ['a', 'b', 'c'].map((value) => list.add(value))
    for (const entry of entries) entry.cancel()

    expect(entries.map((entry) => Object.values(entry).filter((field) => typeof field === 'object'))).toEqual(
      [[], [], []],
    )
  })

  it('`onDue`: may begin and cancel waits', () => {
    const { clock, list, due } = newList({
      onDue: (value) => {
        if (value !== 'a') return
        list.add('d')
        next.cancel()
        list.add('e').cancel()
      },
    })
    list.add('a')
    const next = list.add('b')
    list.add('c')
    clock.advance(100)
    expect(due.map(([value]) => value)).toEqual(['a', 'c'])
    expect(clock.pending).toBe(1)
    clock.advance(100)

    expect(due.at(-1)).toEqual(['d', 200])
    expect(clock.pending).toBe(0)
  })

  it('`onDue` that empties the list: leaves no timer', () => {
    const { clock, list } = newList({ onDue: () => next.cancel() })
    list.add('a')
    clock.advance(10)
    const next = list.add('b')
    clock.advance(90)

    expect(clock.pending).toBe(0)
  })

  it('a duration below a millisecond: does not come due without end', () => {
    const { clock, list, due } = newList({
      durationMs: 0.5,
      onDue: () => void list.add('again'),
    })
    list.add('a')
    clock.advance(3)

    expect(due.map(([, at]) => at)).toEqual([0.5, 1.5, 2.5])
  })

  it('a duration of infinity: nothing waits, and no timer starts', () => {
    const { clock, list, due } = newList({ durationMs: Number.POSITIVE_INFINITY })
    const entry = list.add('a')
    expect(clock.pending).toBe(0)
    entry.cancel()
    clock.advance(1e12)

    expect(due).toEqual([])
  })

  it('a duration over 2³¹−1 ms: is waited for in parts', () => {
    const tracking = new TrackingClock()
    const durationMs = 3 * maxDelayMs
    const { clock, list, due } = newList({ tracking, durationMs })
    list.add('a')
    clock.advance(durationMs - 1)
    expect(due).toEqual([])
    clock.advance(1)

    expect(due).toEqual([['a', durationMs]])
    expect(Math.max(...tracking.delays)).toBe(maxDelayMs)
  })

  it('keeps no process alive', () => {
    const tracking = new TrackingClock()
    const { clock, list } = newList({ tracking })
    list.add('a')
    clock.advance(50)
    list.add('b')
    clock.advance(60)

    expect(clock.pending).toBe(1)
    expect(tracking.refed).toBe(0)
  })

  it('a timer that fires late: `onDue` receives how long the wait has lasted', () => {
    const lasted: number[] = []
    const { clock, list } = newList({ onDue: (_, lastedMs) => lasted.push(lastedMs) })
    const { setTimeout } = clock
    clock.setTimeout = (fn, ms) => setTimeout.call(clock, fn, ms + 15)
    list.add('a')
    clock.advance(10)
    list.add('b')
    clock.advance(200)

    expect(lasted).toEqual([115, 105])
  })

  it('a timer that fires a fraction early: the wait is not due before its time', () => {
    const { clock, list, due } = newList()
    const { setTimeout } = clock
    clock.setTimeout = (fn, ms) => setTimeout.call(clock, fn, ms - 0.5)
    list.add('a')
    clock.advance(99.5)
    expect(due).toEqual([])
    clock.advance(0.5)

    expect(due).toEqual([['a', 100]])
    expect(clock.pending).toBe(0)
  })

  it('waits that begin a fraction of a millisecond apart: none is due before its time', () => {
    const { clock, list, due } = newList()
    list.add('a')
    clock.advance(0.3)
    list.add('b')
    clock.advance(99.7)
    expect(due).toEqual([['a', 100]])
    clock.advance(1)

    expect(due).toEqual([
      ['a', 100],
      ['b', 101],
    ])
  })

  it('times that are rounded: each wait is due without a millisecond more', () => {
    const { clock, list, due } = newList({ durationMs: 0.7 + 100 })
    const dueAt: number[] = []
    for (let count = 0; count < 30; count += 1) {
      list.add(String(count))
      dueAt.push(clock.now() + 0.7 + 100)
      clock.advance(3.1)
    }
    clock.advance(1_000)

    expect(due.length).toBe(30)
    for (const [at, [, time]] of due.entries()) expect(time).toBeCloseTo(dueAt[at] ?? 0, 3)
  })

  it('is called in the async context of the registry, not of the caller', () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const { clock, list } = storage.run('registry', () =>
      newList({ onDue: () => seen.push(storage.getStore()) }),
    )
    storage.run('visitor', () => list.add('a'))
    storage.run('mover', () => clock.advance(100))

    expect(seen).toEqual(['registry'])
  })

  it('any program of waits: each is due at its time, unless it was cancelled; one timer at most', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const) }),
      fc.record({ kind: fc.constant('cancel' as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(150) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, list, due } = newList()
        const waits: { readonly name: string; dueAt: number; cancel(): void }[] = []
        for (const one of steps) {
          if (one.kind === 'add') {
            const name = String(waits.length)
            waits.push({ name, dueAt: clock.now() + 100, cancel: cancelOf(list.add(name)) })
          } else if (one.kind === 'advance') {
            clock.advance(one.ms)
          } else {
            const wait = waits[one.at]
            wait?.cancel()
            if (wait !== undefined && wait.dueAt > clock.now()) wait.dueAt = Number.POSITIVE_INFINITY
          }
          const open = waits.filter(({ dueAt }) => Number.isFinite(dueAt) && dueAt > clock.now())
          expect(clock.pending).toBe(open.length > 0 ? 1 : 0)
        }
        clock.advance(1_000)
        const expected = waits.filter(({ dueAt }) => Number.isFinite(dueAt))
        expect(due).toEqual(expected.map(({ name, dueAt }) => [name, dueAt]))
      }),
    )
  })

  it('on the clock of the host: is due', async () => {
    await new Promise<void>((resolve) => {
      const { events } = quietStep(new RegistryEmitter())
      const init = { durationMs: 5, failure: 'a turn could not be timed', onDue: resolve } as const
      const list = new TimeoutList<void>({ clock: systemClock, events }, init)
      list.add()
    })
  })
})

function cancelOf(entry: { cancel(): void }): () => void {
  return () => entry.cancel()
}
