import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { sessionError } from '../../support/session-error.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

describe('a hold', () => {
  it('keeps a session from ending, and its release is activity', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', [])
    clock.advance(999)
    const hold = registry.hold('a')
    clock.advance(10_000)
    expect(registry.sweep()).toBe(0)
    expect(registry.peek('a')).toMatchObject({ held: true, idleMs: 0 })
    hold?.release()
    clock.advance(999)
    expect(registry.peek('a')).toMatchObject({ held: false, idleMs: 999 })
    clock.advance(1)

    expect(registry.has('a')).toBe(false)
  })

  it('is one of several: only the last release counts', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', [])
    const holds = [registry.hold('a'), registry.hold('a')]
    holds[0]?.release()
    holds[0]?.release()
    clock.advance(5_000)
    expect(registry.peek('a')?.held).toBe(true)
    holds[1]?.release()

    expect(registry.peek('a')?.held).toBe(false)
  })

  it('is released at the end of a `using` block', () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    {
      using _hold = registry.hold('a')
      expect(registry.peek('a')?.held).toBe(true)
    }

    expect(registry.peek('a')?.held).toBe(false)
  })

  it('past `maxAgeMs`: the session expires at the release', () => {
    const { registry, clock, events } = clockedRegistry({ maxAgeMs: 1_000 })
    registry.set('a', [])
    const hold = registry.hold('a')
    clock.advance(5_000)
    registry.sweep()
    expect(registry.has('a')).toBe(true)
    hold?.release()
    expect(registry.has('a')).toBe(false)
    registry.sweep()

    expect(events.take()).toEqual(['created a', 'expired a age', 'ended a age'])
  })

  it('of an expired or unknown session is not taken', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', [])
    clock.advance(1_000)

    expect(registry.hold('a')).toBeUndefined()
    expect(registry.hold('b')).toBeUndefined()
  })

  it('that is never released ends exactly after `maxHoldMs`, with an error', () => {
    const clock = new TrackingClock()
    const { registry } = clockedRegistry({ clock, timeoutMs: Number.POSITIVE_INFINITY, maxHoldMs: 1_000 })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.set('a', [])
    const hold = registry.hold('a')
    expect(clock.refed).toBe(0)
    clock.manual.advance(999)
    expect(registry.peek('a')?.held).toBe(true)
    expect(errors).toEqual([])
    clock.manual.advance(1)

    expect(registry.peek('a')?.held).toBe(false)
    expect(errors).toEqual([sessionError('ERR_SESSION_TURN_TIMEOUT')])
    hold?.release()
    expect(registry.stats().held).toBe(0)
    expect(clock.waiting.size).toBe(0)
  })

  it('never ends with infinite `maxHoldMs`', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxHoldMs: Number.POSITIVE_INFINITY })
    registry.set('a', [])
    registry.hold('a')
    clock.advance(365 * 24 * 3_600_000)

    expect(registry.peek('a')?.held).toBe(true)
  })

  it('on a deleted session does nothing to the next one', () => {
    const { registry, clock } = clockedRegistry()
    registry.set('a', [])
    const hold = registry.hold('a')
    registry.delete('a')
    registry.set('a', ['next'])
    const next = registry.hold('a')
    hold?.release()

    expect(registry.peek('a')?.held).toBe(true)
    expect(registry.stats().held).toBe(1)
    next?.release()
    clock.advance(24 * 3_600_000)
    expect(registry.stats().listenerErrors).toBe(0)
  })

  it('keeps a session from being evicted', () => {
    const { registry } = clockedRegistry({ maxSessions: 2 })
    registry.set('a', [])
    registry.set('b', [])
    registry.hold('a')
    registry.set('c', [])

    expect([...registry.keys()].toSorted()).toEqual(['a', 'c'])
  })
})
