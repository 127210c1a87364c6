import { LRUCache } from 'lru-cache'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { settle } from '../../support/settle.ts'

const failure = new Error('the listener is broken')

// It stops node-cache's sweeper for good, makes every purgeStale of lru-cache throw at the same entry, loses
// the rest of a bucket of @isaacs/ttlcache, and makes moka disable the listener.
describe('a listener that throws', () => {
  it('prevents lru-cache from purging anything, however often it retries', () => {
    let now = 1
    const cache = new LRUCache<string, number>({
      max: 10,
      ttl: 10,
      ttlResolution: 0,
      perf: { now: () => now },
      dispose: () => {
        throw failure
      },
    })
    for (const key of ['a', 'b', 'c']) cache.set(key, 1)
    now = 100

    for (let round = 0; round < 3; round += 1) expect(() => cache.purgeStale()).toThrow(failure)
    expect(cache.size).toBe(3)
  })

  it('stops neither the sweep nor later sweeps', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    registry.on('error', () => {})
    registry.on('expired', () => {
      throw failure
    })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    clock.advance(1_000)
    expect(registry.size).toBe(0)
    registry.getOrCreate('d')
    clock.advance(1_000)

    expect(registry.size).toBe(0)
    expect(events.lines.filter((line) => line.startsWith('ended'))).toHaveLength(4)
    expect(events.sweeps.map(({ expired }) => expired)).toEqual([3, 1])
  })

  it('does not prevent other listeners from being called, whichever throws', () => {
    const { registry } = clockedRegistry()
    const recorded: string[] = []
    registry.on('error', () => {})
    registry.on('created', () => {
      throw failure
    })
    registry.on('created', () => recorded.push('first'))
    registry.on('created', () => {
      throw failure
    })
    registry.on('created', () => recorded.push('second'))
    registry.getOrCreate('a')

    expect(recorded).toEqual(['first', 'second'])
    expect(registry.stats().listenerErrors).toBe(2)
  })

  it('is called for later events as before', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    let calls = 0
    registry.on('error', () => {})
    registry.on('ended', () => {
      calls += 1
      throw failure
    })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    clock.advance(1_000)
    registry.sweep()
    registry.set('d', [])
    registry.delete('d')

    expect(calls).toBe(4)
  })

  it('is contained as well if its promise rejects', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('expired', async () => {
      throw failure
    })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    clock.advance(1_000)
    await settle()

    expect(errors).toEqual([failure, failure])
    expect(events.lines).toContain('ended b idle')
    expect(registry.size).toBe(0)
  })
})
