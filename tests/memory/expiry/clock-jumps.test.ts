import { LRUCache } from 'lru-cache'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { installFakeGlobals } from '../../support/fake-globals.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const hours = 3_600_000

// `Date.now()` clocks: set forward, every session expires; set back, none does. Eight of ten Node peers.
describe('a wall clock that jumps', () => {
  it.each([1_000 * hours, -1_000 * hours])('by %s ms: expires nothing and keeps nothing alive', (shiftMs) => {
    const clock = new TrackingClock()
    const registry = new SessionRegistry({ clock, timeoutMs: 1_000, maxAgeMs: 3_000, create: () => [] })
    registry.getOrCreate('a')
    clock.wallShiftMs = shiftMs
    clock.manual.advance(999)
    expect(registry.has('a')).toBe(true)
    expect(registry.peek('a')).toMatchObject({ idleMs: 999, ageMs: 999 })
    clock.manual.advance(1)

    expect(registry.has('a')).toBe(false)
  })

  it('is not read for expiry, with the globals as the clock', () => {
    const clock = installFakeGlobals()
    const registry = new SessionRegistry({ timeoutMs: 1_000, create: () => [] })
    registry.getOrCreate('a')
    clock.setSystemTime(Date.now() + 1_000 * hours)
    expect(registry.has('a')).toBe(true)
    clock.setSystemTime(Date.now() - 5_000 * hours)
    clock.tick(1_000)

    expect(registry.has('a')).toBe(false)
  })
})

// The value 0, where fake timers begin, means "never expires" in lru-cache.
describe('a clock that begins at 0', () => {
  it('makes lru-cache keep an entry set at 0 for ever', () => {
    let now = 0
    const cache = new LRUCache({ max: 10, ttl: 10, ttlResolution: 0, perf: { now: () => now } })
    cache.set('a', 1)
    now = 1_000

    expect(cache.has('a')).toBe(true)
  })

  it('works like any other clock', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, maxAgeMs: 1_500 })
    registry.getOrCreate('a')
    registry.getOrCreate('b')
    expect(clock.now()).toBe(0)
    clock.advance(999)
    registry.touch('b')
    clock.advance(1)
    expect([...registry.keys()]).toEqual(['b'])
    clock.advance(500)
    registry.sweep()

    expect(events.lines.slice(2)).toEqual(['expired a idle', 'ended a idle', 'expired b age', 'ended b age'])
  })

  it.each([-5_000, 2 ** 40, 0.1])('also works from %s', (origin) => {
    let now = origin
    const registry = new SessionRegistry({
      clock: { now: () => now, setTimeout: () => undefined, clearTimeout: () => undefined },
      timeoutMs: 1_000,
      create: () => [],
    })
    registry.getOrCreate('a')
    now = origin + 999
    expect(registry.has('a')).toBe(true)
    now = origin + 1_000

    expect(registry.has('a')).toBe(false)
    expect(registry.sweep()).toBe(1)
  })
})

// `NaN` is neither before nor after a deadline: `sweep()` never returned.
describe('a clock that returns no number for a while', () => {
  function breakable() {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warnings.mockRestore())
    const state = { now: 0 as unknown, date: 1_700_000_000_000 as unknown }
    const clock = {
      now: () => state.now as number,
      setTimeout: () => undefined,
      clearTimeout: () => undefined,
      date: () => state.date as number,
    }
    const registry = new SessionRegistry<string[]>({
      clock,
      timeoutMs: 1_000,
      maxAgeMs: 5_000,
      create: () => [],
    })
    return { state, registry, warnings }
  }

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined, null, '5', 5n])(
    '%s: the last reading stays valid',
    (broken) => {
      const { state, registry } = breakable()
      for (let index = 0; index < 1_000; index += 1) registry.getOrCreate(`id-${index}`)
      registry.set('short', [], { timeoutMs: 500 })
      state.now = 600
      registry.touch('id-0')
      state.now = broken
      expect(registry.sweep()).toBe(1)
      expect(registry.sweep()).toBe(0)
      expect(registry.getOrCreate('new')).toEqual([])
      expect(registry.peek('id-0')).toMatchObject({ idleMs: 0, ageMs: 600 })
      state.now = 1_000
      expect(registry.sweep()).toBe(999)
      state.now = 1_600

      expect(registry.sweep()).toBe(2)
    },
  )

  it('from the beginning: sessions are created and deleted as if no time passed', () => {
    const { state, registry } = breakable()
    state.now = Number.NaN
    registry.getOrCreate('a')
    expect(registry.sweep()).toBe(0)
    expect(registry.has('a')).toBe(true)
    expect(registry.delete('a')).toBe(true)
  })

  it('is reported once', () => {
    const { state, registry, warnings } = breakable()
    state.now = Number.NaN
    for (let index = 0; index < 10; index += 1) registry.getOrCreate('a')

    expect(warnings).toHaveBeenCalledTimes(1)
    expect(warnings.mock.calls[0]?.[0]).toContain('`clock.now()`')
  })

  it('date: the host’s date is used instead', () => {
    const { state, registry } = breakable()
    state.date = Number.NaN
    registry.getOrCreate('a')

    expect(Math.abs((registry.peek('a')?.createdAt ?? 0) - Date.now())).toBeLessThan(60_000)
  })
})
