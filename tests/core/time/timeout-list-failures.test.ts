import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { newTimeoutList as newList, timeOf } from './new-timeout-list.ts'

describe('a timeout list on a host that fails', () => {
  it('a clock that fails as a wait begins: that is reported, and nothing waits', () => {
    const clock = new ManualClock()
    const failure = new Error('no time')
    const { list, errors } = newList({ clock })
    clock.now = () => {
      throw failure
    }
    list.add('a').cancel()

    expect(errors).toEqual([failure])
    expect(clock.pending).toBe(0)
  })

  it('a host without timers: that is reported at each wait, until there is one', () => {
    const clock = new ManualClock()
    const failure = new Error('no timers')
    const { setTimeout } = clock
    clock.setTimeout = () => {
      throw failure
    }
    const { list, due, errors } = newList({ clock })
    list.add('a')
    list.add('b')
    expect(errors).toEqual([failure, failure])
    clock.advance(50)
    clock.setTimeout = setTimeout
    list.add('c')
    clock.advance(100)

    expect(due.map(([value]) => value)).toEqual(['a', 'b', 'c'])
  })

  it('a clock that fails as the timer fires: the first wait is due, and the next one at its time', () => {
    const { clock, list, due } = newList()
    list.add('a')
    clock.advance(1)
    list.add('b')
    let calls = 0
    clock.now = () => {
      calls += 1
      // The first call is the timer's own, which asks whether it is time.
      if (calls === 2) throw new Error('no time')
      return timeOf(clock)
    }
    clock.advance(100)

    expect(calls).toBeGreaterThan(1)
    expect(due).toEqual([
      ['a', 100],
      ['b', 101],
    ])
  })
})
