import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { EventRecorder } from '../../support/event-recorder.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const never = Number.POSITIVE_INFINITY

function tracked(options: object = {}) {
  const clock = new TrackingClock()
  const registry = new SessionRegistry<string[]>({ clock, intervalMs: 500, create: () => [], ...options })
  return { clock, registry, events: new EventRecorder<string[]>(registry) }
}

describe('the timer of the background sweep', () => {
  it('is not armed before the first session', () => {
    const { clock, registry } = tracked({ timeoutMs: 1_000, maxAgeMs: 5_000 })
    registry.get('a')
    registry.sweep()

    expect(clock.waiting.size).toBe(0)
  })

  it('is not armed while no session can expire', () => {
    const { clock, registry } = tracked({ timeoutMs: never })
    registry.getOrCreate('a')

    expect(clock.waiting.size).toBe(0)
  })

  it('is armed for an absolute timeout alone', () => {
    const { clock, registry, events } = tracked({ timeoutMs: never, maxAgeMs: 1_000 })
    registry.getOrCreate('a')
    expect(clock.waiting.size).toBe(1)
    clock.manual.advance(1_000)

    expect(events.lines).toEqual(['created a', 'expired a age', 'ended a age'])
  })

  it('is armed from the first session that can expire to the end of the last', () => {
    const { clock, registry } = tracked({ timeoutMs: never })
    registry.getOrCreate('for ever')
    registry.getOrCreate('a', undefined, { timeoutMs: 1_000 })
    registry.getOrCreate('b', undefined, { timeoutMs: 1_000 })
    expect(clock.waiting.size).toBe(1)
    registry.delete('a')
    expect(clock.waiting.size).toBe(1)
    registry.delete('b')

    expect(clock.waiting.size).toBe(0)
  })

  it('is armed and cleared as timeouts are assigned', () => {
    const { clock, registry } = tracked({ timeoutMs: never })
    registry.getOrCreate('a')
    const session = registry.peek('a')
    if (session === undefined) throw new Error('no session')
    session.timeoutMs = 1_000
    expect(clock.waiting.size).toBe(1)
    session.timeoutMs = undefined

    expect(clock.waiting.size).toBe(0)
  })

  it('is a single one, for intervalMs, and does not keep the process alive', () => {
    const { clock, registry } = tracked()
    for (let index = 0; index < 100; index += 1) registry.getOrCreate(String(index))
    clock.manual.advance(400)
    registry.getOrCreate('one more')

    expect(clock.delays).toEqual([500])
    expect(clock.waiting.size).toBe(1)
    expect(clock.refed).toBe(0)
  })

  it('is cleared when a sweep ends the last session, and armed again by the next one', () => {
    const { clock, registry, events } = tracked({ timeoutMs: 1_000 })
    registry.getOrCreate('a')
    clock.manual.advance(1_000)
    expect(clock.waiting.size).toBe(0)
    clock.manual.advance(100_000)
    registry.getOrCreate('b')
    expect(clock.waiting.size).toBe(1)
    clock.manual.advance(1_000)

    expect(events.lines.slice(3)).toEqual(['created b', 'expired b idle', 'ended b idle'])
  })

  it('is not armed again by a listener that only reads', () => {
    const { clock, registry } = tracked({ timeoutMs: 1_000 })
    registry.on('ended', ({ id }) => registry.get(id))
    registry.getOrCreate('a')
    clock.manual.advance(1_000)

    expect(clock.waiting.size).toBe(0)
  })
})

describe('the background sweep', () => {
  it('runs intervalMs after the first creation, and then every intervalMs', () => {
    const { clock, registry, events } = clockedRegistry({ timeoutMs: 100, intervalMs: 500 })
    clock.advance(123)
    registry.getOrCreate('a')
    registry.set('stays', [], { timeoutMs: 10_000 })
    clock.advance(499)
    expect(registry.size).toBe(2)
    clock.advance(1)
    expect(registry.size).toBe(1)
    registry.set('b', [])
    events.take()
    clock.advance(499)
    expect(registry.size).toBe(2)
    clock.advance(1)

    expect(events.take()).toEqual(['expired b idle', 'ended b idle'])
  })

  it('emits one swept for what it ended, and none if it found nothing', () => {
    const { clock, registry, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    registry.set('stays', [], { timeoutMs: 10_000 })
    clock.advance(5_000)

    expect(events.sweeps).toEqual([{ expired: 3, remaining: 1, durationMs: 0 }])
  })

  it('continues if the host returns no timer for a while', () => {
    let broken = true
    const clock = new TrackingClock()
    const failure = new Error('no timers here')
    const registry = new SessionRegistry<string[]>({
      clock: {
        now: () => clock.now(),
        setTimeout: (fn, ms) => {
          if (broken) throw failure
          return clock.setTimeout(fn, ms)
        },
        clearTimeout: (handle) => clock.clearTimeout(handle),
      },
      timeoutMs: 1_000,
      intervalMs: 500,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.set('a', [])
    expect(errors).toEqual([failure])
    broken = false
    registry.set('b', [])
    clock.manual.advance(1_000)

    expect(registry.size).toBe(0)
  })

  it('survives a failing clock, and so does the process', () => {
    let broken = false
    const clock = new TrackingClock()
    const failure = new Error('no time')
    const registry = new SessionRegistry<string[]>({
      clock: {
        now: () => {
          if (!broken) return clock.now()
          throw failure
        },
        setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
        clearTimeout: (handle) => clock.clearTimeout(handle),
      },
      timeoutMs: 1_000,
      intervalMs: 500,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.set('a', [])
    broken = true
    clock.manual.advance(500)
    expect(new Set(errors)).toEqual(new Set([failure]))
    broken = false
    registry.set('b', [])
    clock.manual.advance(1_000)

    expect(registry.size).toBe(0)
  })
})
