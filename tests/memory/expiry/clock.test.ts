import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { maxDelayMs, systemClock, Timer } from '../../../src/core/time/clock.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { installFakeGlobals } from '../../support/fake-globals.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

describe('the host’s clock', () => {
  it('is looked up at each use, so that fake timers can be installed later', () => {
    const registry = new SessionRegistry<string[]>({ timeoutMs: 1_000, intervalMs: 500, create: () => [] })
    const clock = installFakeGlobals()
    registry.getOrCreate('a')
    clock.tick(999)
    expect(registry.has('a')).toBe(true)
    expect(registry.size).toBe(1)
    clock.tick(1)

    expect(registry.has('a')).toBe(false)
    expect(registry.size).toBe(0)
  })

  it('provides the date of sessions', () => {
    const clock = installFakeGlobals()
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    registry.getOrCreate('a')
    clock.tick(5_000)
    registry.touch('a')

    expect(registry.peek('a')).toMatchObject({
      createdAt: Date.UTC(2024, 0, 1),
      lastActiveAt: Date.UTC(2024, 0, 1) + 5_000,
    })
  })

  it('provides the date if a clock has no `date`', () => {
    installFakeGlobals()
    const registry = new SessionRegistry<string[]>({
      clock: { now: () => 5, setTimeout: () => 1, clearTimeout: () => {} },
    })
    registry.set('a', [])

    expect(registry.peek('a')?.createdAt).toBe(Date.UTC(2024, 0, 1))
  })

  it('sets and clears real timers', () => {
    const clock = installFakeGlobals()
    let calls = 0
    systemClock.setTimeout(() => {
      calls += 1
    }, 10)
    systemClock.clearTimeout(
      systemClock.setTimeout(() => {
        calls += 10
      }, 10),
    )
    clock.tick(10)

    expect(calls).toBe(1)
  })
})

describe('an injected clock', () => {
  it('is called with its own `this`', () => {
    class OwnClock {
      #now = 7
      now() {
        return this.#now
      }
      setTimeout() {
        return this.#now
      }
      clearTimeout() {
        this.#now += 0
      }
      date() {
        return this.#now
      }
    }
    const registry = new SessionRegistry<string[]>({ clock: new OwnClock() })
    registry.set('a', [])

    expect(registry.peek('a')?.createdAt).toBe(7)
    expect(registry.delete('a')).toBe(true)
  })

  it('may return handles that are not objects', () => {
    const { registry } = clockedRegistry({
      clock: { now: () => 0, setTimeout: () => 17, clearTimeout: () => {} },
    })

    expect(() => registry.getOrCreate('a')).not.toThrow()
  })
})

describe('a timer for a long wait', () => {
  function waiting(ms: number, options = {}) {
    const clock = new TrackingClock()
    const recorded: number[] = []
    return { clock, recorded, timer: new Timer(clock, () => recorded.push(clock.now()), ms, options) }
  }

  it.each([0, 1, maxDelayMs, maxDelayMs + 1, 3 * maxDelayMs + 5])(
    'of %s ms fires exactly then, once',
    (ms) => {
      const { clock, recorded } = waiting(ms)
      if (ms > 0) clock.manual.advance(ms - 1)
      expect(recorded).toEqual([])
      clock.manual.advance(1)
      clock.manual.advance(5 * maxDelayMs)

      expect(recorded).toEqual([ms])
      expect(Math.max(...clock.delays)).toBeLessThanOrEqual(maxDelayMs)
    },
  )

  it('of infinity never fires', () => {
    const { clock, recorded } = waiting(Number.POSITIVE_INFINITY)
    clock.manual.advance(10 * maxDelayMs)

    expect(recorded).toEqual([])
    expect(clock.waiting.size).toBe(1)
  })

  it('never fires after it was cancelled', () => {
    const { clock, recorded, timer } = waiting(maxDelayMs + 10)
    clock.manual.advance(maxDelayMs + 5)
    timer.cancel()
    timer.cancel()
    clock.manual.advance(maxDelayMs)

    expect(recorded).toEqual([])
    expect(clock.waiting.size).toBe(0)
  })

  it('keeps no process alive unless requested, in its later parts neither', () => {
    const { clock, timer } = waiting(3 * maxDelayMs)
    expect(clock.refed).toBe(0)
    timer.ref()
    expect(clock.refed).toBe(1)
    clock.manual.advance(maxDelayMs)
    expect(clock.refed).toBe(1)
    timer.unref()
    clock.manual.advance(maxDelayMs)

    expect(clock.refed).toBe(0)
    expect(waiting(10, { keepsAlive: true }).clock.refed).toBe(1)
  })

  it('waits on if the host fires early', () => {
    let now = 0
    let fire = () => {}
    const recorded: number[] = []
    const clock = {
      now: () => now,
      setTimeout: (fn: () => void) => {
        fire = fn
      },
      clearTimeout: () => {},
    }
    new Timer(clock, () => recorded.push(now), 100)
    now = 50
    fire()
    expect(recorded).toEqual([])
    now = 99.5
    fire()

    expect(recorded).toEqual([99.5])
  })

  it('does nothing if the host fires after it was cancelled', () => {
    let fire = () => {}
    const recorded: number[] = []
    const clock = {
      now: () => 0,
      setTimeout: (fn: () => void) => {
        fire = fn
      },
      clearTimeout: () => {},
    }
    new Timer(clock, () => recorded.push(1), 0).cancel()
    fire()

    expect(recorded).toEqual([])
  })
})
