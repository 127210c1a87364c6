import { LRUCache } from 'lru-cache'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { installFakeGlobals } from '../../support/fake-globals.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const days = 24 * 3_600_000

/**
 * A recorder in place of the global `setTimeout` until the test ends. A spy would be restored once more at
 * the end of the file, when the fake timers under it have gone.
 */
function recordedSetTimeout() {
  const { setTimeout } = globalThis
  const recorded = vi.fn(setTimeout)
  globalThis.setTimeout = Object.assign(recorded, setTimeout)
  onTestFinished(() => {
    globalThis.setTimeout = setTimeout
  })
  return recorded
}

// Node turns a delay over 2^31-1 ms into 1 ms: lru-cache with a 30-day ttl warned 82 700 times in 3 s, and
// node-cache, cacheable and memorystore swept without end.
describe('a delay over 2^31-1 ms', () => {
  it('makes lru-cache set a timer every millisecond', () => {
    const clock = installFakeGlobals()
    const setTimeout = recordedSetTimeout()
    const cache = new LRUCache({ ttl: 30 * days, ttlAutopurge: true, perf: performance })
    cache.set('a', 1)
    clock.tick(3_000)

    expect(setTimeout.mock.calls.length).toBeGreaterThan(1_000)
  })

  it('is never passed to the host for a timeout or an age of 30 days', () => {
    const clock = installFakeGlobals()
    const setTimeout = recordedSetTimeout()
    const registry = new SessionRegistry({ timeoutMs: 30 * days, maxAgeMs: 60 * days, create: () => [] })
    registry.getOrCreate('a')
    clock.tick(3_000)
    expect(setTimeout).toHaveBeenCalledTimes(1)
    clock.tick(30 * days - 3_001)
    expect(registry.has('a')).toBe(true)
    clock.tick(1)

    expect(registry.has('a')).toBe(false)
    expect(Math.max(...setTimeout.mock.calls.map(([, ms]) => ms ?? 0))).toBeLessThan(2 ** 31)
  })

  it('is split for a hold of 30 days', () => {
    const clock = new TrackingClock()
    const registry = new SessionRegistry({ clock, timeoutMs: 1_000, maxHoldMs: 30 * days, create: () => [] })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.getOrCreate('a')
    registry.hold('a')
    clock.manual.advance(30 * days - 1)
    expect(errors).toEqual([])
    clock.manual.advance(1)

    expect(errors).toEqual([sessionError('ERR_SESSION_TURN_TIMEOUT')])
    expect(Math.max(...clock.delays)).toBe(2 ** 31 - 1)
  })

  it('is refused for `intervalMs`', () => {
    expect(thrownBy(() => new SessionRegistry({ intervalMs: 30 * days }))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
  })
})
