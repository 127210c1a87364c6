import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { thrownBy } from '../support/session-error.ts'

describe('stats()', () => {
  it('starts at zero', () => {
    const { registry } = clockedRegistry()

    expect(registry.stats()).toEqual({
      size: 0,
      held: 0,
      running: 0,
      waiting: 0,
      archiving: 0,
      disposing: 0,
      created: 0,
      loaded: 0,
      expired: 0,
      evicted: 0,
      deleted: 0,
      hits: 0,
      misses: 0,
      turns: 0,
      turnTimeouts: 0,
      listenerErrors: 0,
      archiveFailures: 0,
      lastSweep: undefined,
    })
  })

  it('counts a get, getOrCreate or open that found a live session as a hit, and no other call', async () => {
    const { registry } = clockedRegistry()
    registry.getOrCreate('a')
    expect(registry.stats()).toMatchObject({ hits: 0, misses: 1 })
    registry.getOrCreate('a')
    registry.get('a')
    await registry.open('a')
    expect(registry.stats()).toMatchObject({ hits: 3, misses: 1 })
    registry.get('b')
    await registry.open('b')
    expect(registry.stats()).toMatchObject({ hits: 3, misses: 3 })
    registry.touch('a')
    registry.has('a')
    registry.peek('a')
    registry.set('a', [])
    registry.hold('a')
    registry.delete('b')
    await registry.run('a', () => {})
    thrownBy(() => registry.get(''))

    expect(registry.stats()).toMatchObject({ hits: 3, misses: 3, turns: 1 })
  })

  it('counts a read of an expired session as a miss', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.getOrCreate('a')
    clock.advance(1_000)
    registry.get('a')

    expect(registry.stats()).toMatchObject({ hits: 0, misses: 2, expired: 1 })
  })

  it('counts each end by its reason', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxSessions: 3 })
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [])
    registry.replace('d', [])
    registry.delete('d')
    clock.advance(1_000)
    registry.sweep()

    expect(registry.stats()).toMatchObject({ created: 5, evicted: 1, deleted: 1, expired: 2, size: 0 })
  })

  it('counts delete and clear of expired sessions as expired, not as deleted', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
    for (const id of ['a', 'b', 'c']) registry.set(id, [])
    clock.advance(1_000)
    expect(registry.delete('a')).toBe(false)
    registry.set('live', [])
    registry.delete('b')

    expect(registry.clear()).toBe(1)
    expect(registry.stats()).toMatchObject({ deleted: 1, expired: 3 })
  })

  it('held: counts the sessions held now', () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const holds = [registry.hold('a'), registry.hold('a')]
    expect(registry.stats().held).toBe(1)
    holds[0]?.release()
    holds[0]?.release()
    expect(registry.stats().held).toBe(1)
    holds[1]?.release()

    expect(registry.stats().held).toBe(0)
  })

  it('lastSweep: has its date, also if the sweep found nothing', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    const origin = clock.date()
    registry.set('a', [])
    clock.advance(500)
    expect(registry.stats().lastSweep).toEqual({ at: origin + 500, expired: 0, durationMs: 0 })
    clock.advance(500)

    expect(registry.stats().lastSweep).toEqual({ at: origin + 1_000, expired: 1, durationMs: 0 })
  })

  it('returns a copy', () => {
    const { registry } = clockedRegistry()
    const before = registry.stats()
    registry.set('a', [])

    expect(before.created).toBe(0)
  })
})
