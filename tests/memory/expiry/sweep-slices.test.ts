import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { EventRecorder } from '../../support/event-recorder.ts'
import { SlowClock } from '../../support/slow-clock.ts'

const count = 100

/**
 * Returns a registry whose sessions have all expired at the first background sweep, on a clock that is slow
 * from then on.
 */
function overdue(msPerLook: number) {
  const clock = new SlowClock()
  const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000, intervalMs: 1_000 })
  for (let index = 0; index < count; index += 1) registry.set(String(index), index)
  clock.msPerLook = msPerLook
  return { clock: clock.tracking, registry, events: new EventRecorder<number>(registry) }
}

describe('a long background sweep', () => {
  it('runs in slices, and yields to the event loop between them', () => {
    const { clock, registry } = overdue(0.25)
    const sizes: number[] = []
    clock.setTimeout(() => sizes.push(registry.size), 1_000)
    clock.manual.advance(1_000)

    // The other timer was due at the same time and started later: it fired after the first slice.
    expect(sizes[0]).toBeGreaterThan(50)
    expect(sizes[0]).toBeLessThan(count)
    expect(registry.size).toBe(0)
    expect(clock.delays.filter((ms) => ms === 0).length).toBeGreaterThan(3)
  })

  it('emits one swept for all slices', () => {
    const { clock, registry, events } = overdue(0.25)
    clock.manual.advance(1_000)

    expect(events.sweeps).toHaveLength(1)
    expect(events.sweeps[0]).toMatchObject({ expired: count, remaining: 0 })
    expect(events.sweeps[0]?.durationMs).toBeGreaterThan(4)
    expect(registry.stats().lastSweep?.expired).toBe(count)
  })

  it('ends each session once, in order', () => {
    const { clock, events } = overdue(0.25)
    clock.manual.advance(1_000)

    expect(events.lines.filter((line) => line.startsWith('ended'))).toEqual(
      Array.from({ length: count }, (_, index) => `ended ${index} idle`),
    )
  })

  it('ends one session per slice if each takes longer than a slice', () => {
    const { clock, registry, events } = overdue(10)
    clock.manual.advance(1_000)

    expect(registry.size).toBe(0)
    expect(events.sweeps).toHaveLength(1)
  })

  it('keeps no process alive between its slices', () => {
    const { clock, registry } = overdue(0.25)
    let refed = 0
    registry.on('ended', () => {
      refed = Math.max(refed, clock.refed)
    })
    clock.manual.advance(1_000)

    expect(refed).toBe(0)
  })

  it('is not joined by a second sweep if the interval elapses meanwhile', () => {
    const clock = new SlowClock()
    const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000, intervalMs: 1 })
    const events = new EventRecorder<number>(registry)
    registry.set('stays', 0, { timeoutMs: 1_000_000_000 })
    for (let index = 0; index < count; index += 1) registry.set(String(index), index)
    clock.tracking.manual.advance(999)
    clock.msPerLook = 2
    clock.tracking.manual.advance(50)

    expect(registry.size).toBe(1)
    expect(events.sweeps.map(({ expired }) => expired)).toEqual([count])
  })

  it('counts the time of slow listeners as well', () => {
    const clock = new SlowClock()
    const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000, intervalMs: 1_000 })
    for (let index = 0; index < 10; index += 1) registry.set(String(index), index)
    registry.on('ended', () => {
      clock.msPerLook = 5
      clock.now()
      clock.msPerLook = 0
    })
    clock.tracking.manual.advance(1_000)

    expect(registry.size).toBe(0)
    expect(clock.tracking.delays.filter((ms) => ms === 0)).toHaveLength(9)
  })

  it('needs no extra slice to find that nothing is left', () => {
    const clock = new SlowClock()
    const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000, intervalMs: 1_000 })
    const events = new EventRecorder<number>(registry)
    registry.set('a', 0)
    clock.msPerLook = 10
    clock.tracking.manual.advance(1_000)

    expect(events.sweeps).toHaveLength(1)
    expect(clock.tracking.delays).toEqual([1_000, 1_000])
  })

  it('stops between two slices when the registry is closed', async () => {
    const { clock, registry } = overdue(0.25)
    clock.setTimeout(() => void registry.close(), 1_000)
    clock.manual.advance(1_000)
    await registry.close()

    expect(registry.size).toBe(0)
    expect(clock.waiting.size).toBe(0)
  })

  it('finds nothing left if a listener sweeps between two slices', () => {
    const { clock, registry, events } = overdue(0.25)
    let swept = 0
    clock.setTimeout(() => {
      swept = registry.sweep()
    }, 1_000)
    clock.manual.advance(1_000)

    expect(swept).toBeGreaterThan(0)
    expect(events.lines.filter((line) => line.startsWith('ended'))).toHaveLength(count)
    expect(events.sweeps.map(({ expired }) => expired)).toEqual([swept, count - swept])
  })

  it('runs in one go if the clock stands still, as a manual one does', () => {
    const { clock, registry } = overdue(0)
    clock.manual.advance(1_000)

    expect(registry.size).toBe(0)
    expect(clock.delays).toEqual([1_000, 1_000])
  })

  it('continues after an event-loop iteration, although no timer fired', async () => {
    const fired: (() => void)[] = []
    let now = 0
    let msPerLook = 0
    const clock = {
      now() {
        now += msPerLook
        return now
      },
      setTimeout: (fn: () => void) => fired.push(fn),
      clearTimeout() {},
    }
    const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000, intervalMs: 1_000 })
    for (let index = 0; index < count; index += 1) registry.set(String(index), index)
    now = 1_000
    msPerLook = 1
    fired[0]?.()
    const sizes = [registry.size]
    while (registry.size > 0 && sizes.length < count) {
      await new Promise(setImmediate)
      sizes.push(registry.size)
    }

    expect(sizes[0]).toBeGreaterThan(count / 2)
    expect(sizes.at(-1)).toBe(0)
    expect(sizes.length).toBeGreaterThan(3)
  })
})

describe('sweep()', () => {
  it('runs in one go, however long it takes', () => {
    const clock = new SlowClock()
    const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000, intervalMs: 100_000 })
    for (let index = 0; index < count; index += 1) registry.set(String(index), index)
    clock.tracking.manual.advance(10_000)
    clock.msPerLook = 10

    expect(registry.sweep()).toBe(count)
    expect(registry.size).toBe(0)
    expect(clock.tracking.delays).toEqual([100_000])
  })
})
