import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { Drain } from '../../src/core/async/drain.ts'
import { Timer } from '../../src/core/time/clock.ts'

/** A drain of two phases, with the work that is left of each, and what it did. */
function newDrain(left: [first: number, second: number]) {
  const clock = new ManualClock()
  const events: string[] = []
  const limit = (name: string, ms: number) => ({ ms, onElapsed: () => void events.push(name) })
  const drain = new Drain(
    [
      { isDone: () => left[0] === 0, limits: [limit('stop', 100), limit('abort', 50)] },
      { isDone: () => left[1] === 0, limits: [limit('give up', 100)] },
    ],
    (fn, ms) => new Timer(clock, fn, ms),
    () => events.push('drained'),
  )
  return { clock, events, drain, left }
}

describe('a drain', () => {
  it('nothing left: is drained at once, without a timer', () => {
    const { clock, events, drain } = newDrain([0, 0])
    drain.start()

    expect(events).toEqual(['drained'])
    expect(clock.pending).toBe(0)
  })

  it('a phase that ends in time: the next one begins, with limits of its own', () => {
    const { clock, events, drain, left } = newDrain([1, 1])
    drain.start()
    clock.advance(99)
    left[0] = 0
    drain.advance()
    clock.advance(99)
    expect(events).toEqual([])
    clock.advance(1)

    expect(events).toEqual(['give up'])
    expect(clock.pending).toBe(0)
  })

  it('limits: are reached one after another, each counted from the one before', () => {
    const { clock, events, drain, left } = newDrain([1, 0])
    drain.start()
    clock.advance(100)
    expect(events).toEqual(['stop'])
    clock.advance(49)
    expect(events).toEqual(['stop'])
    clock.advance(1)
    expect(events).toEqual(['stop', 'abort'])
    clock.advance(1_000)
    expect(events).toEqual(['stop', 'abort'])
    left[0] = 0
    drain.advance()
    drain.advance()

    expect(events).toEqual(['stop', 'abort', 'drained'])
  })
})
