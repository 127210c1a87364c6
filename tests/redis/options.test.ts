import { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it } from 'vitest'
import { resolveRedisOptions } from '../../src/redis/options.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const client = { evalSha: async () => 0, eval: async () => 0 }

describe('the options of the registry on Redis', () => {
  it('have the documented defaults', () => {
    const {
      prefix,
      shards,
      leaseMs,
      retentionMs,
      intervalMs,
      callTimeoutMs,
      timeoutMs,
      maxAgeMs,
      maxTurnMs,
    } = resolveRedisOptions({ client })
    const own = { prefix, shards, leaseMs, retentionMs, intervalMs, callTimeoutMs }

    expect({ ...own, timeoutMs, maxAgeMs, maxTurnMs }).toEqual({
      prefix: 'sessions',
      shards: 16,
      leaseMs: 30_000,
      retentionMs: 7 * 24 * 3_600_000,
      intervalMs: 1_000,
      callTimeoutMs: 5_000,
      timeoutMs: 1_200_000,
      maxAgeMs: Number.POSITIVE_INFINITY,
      maxTurnMs: 1_200_000,
    })
  })

  it('may be undefined, for the default', () => {
    const { prefix, shards } = resolveRedisOptions({ client, prefix: undefined, shards: undefined })

    expect({ prefix, shards }).toEqual({ prefix: 'sessions', shards: 16 })
    expect(resolveRedisOptions({ client, clock: undefined } as never).shards).toBe(16)
  })

  it.each([
    ['clock', 'time is that of the server'],
    ['dispose', 'values are copies, which hold no resources'],
    ['disposeTimeoutMs', 'values are copies, which hold no resources'],
    ['maxPerOwner', 'sessions are not counted by owner'],
    ['maxTombstones', 'tombstones end by `tombstoneMs` alone'],
    ['rollback', 'a turn that rejects saves nothing anyway'],
    ['whenFull', 'a creation in a full shard is refused, and no session is evicted'],
  ])('of the registry in memory are refused with the reason: %s', (option, reason) => {
    const error = thrownBy(() => new RedisSessionRegistry({ client, [option]: 1 } as never)) as Error

    expect(error.message).toBe(`Expected \`${option}\` to be left out on Redis: ${reason}`)
  })

  it('divide `maxSessions` among the shards, rounded up', () => {
    expect(resolveRedisOptions({ client, maxSessions: 17 }).maxPerShard).toBe(2)
    expect(resolveRedisOptions({ client, maxSessions: 16 }).maxPerShard).toBe(1)
    expect(resolveRedisOptions({ client }).maxPerShard).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    ['prefix', ''],
    ['prefix', 7],
    ['prefix', null],
    ['prefix', 'a{b'],
    ['prefix', '}'],
    ['prefix', '\ud800'],
    ['shards', 0],
    ['shards', 1.5],
    ['shards', 4_097],
    ['shards', Number.POSITIVE_INFINITY],
    ['leaseMs', 0],
    ['leaseMs', Number.POSITIVE_INFINITY],
    ['leaseMs', 2 ** 31],
    ['leaseMs', Number.NaN],
    ['retentionMs', 0],
    ['retentionMs', Number.POSITIVE_INFINITY],
    ['retentionMs', '7d'],
    ['intervalMs', 0],
    ['intervalMs', 2 ** 31],
    ['intervalMs', -1],
    ['intervalMs', null],
    ['callTimeoutMs', 0],
    ['callTimeoutMs', 1.5],
    ['callTimeoutMs', Number.POSITIVE_INFINITY],
    ['callTimeoutMs', Number.NaN],
    ['callTimeoutMs', '5s'],
    ['codec', null],
    ['codec', 'json'],
    ['codec', { encode: () => '' }],
    ['timeoutMs', Number.POSITIVE_INFINITY],
    // Those of the registry of one process.
    ['clock', { now: () => 0 }],
    ['whenFull', 'evict'],
    ['dispose', () => {}],
    ['dispose', true],
    ['disposeTimeoutMs', 5_000],
    ['rollback', true],
    ['maxPerOwner', 10],
    ['maxTombstones', 10],
    ['maxSessions', 0],
    ['maxSessions', 1.5],
    ['archives', 'no'],
    ['archives', null],
  ])('refuse %s: %s, by name', (option, value) => {
    const error = thrownBy(() => new RedisSessionRegistry({ client, [option]: value } as never)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain(`\`${option}`)
  })

  it('may have an infinite idle timeout if `maxAgeMs` is finite, and an infinite poll interval', () => {
    const Never = Number.POSITIVE_INFINITY

    expect(resolveRedisOptions({ client, timeoutMs: Never, maxAgeMs: 1_000 }).timeoutMs).toBe(Never)
    expect(resolveRedisOptions({ client, intervalMs: Never }).intervalMs).toBe(Never)
  })

  it.each([undefined, null, 7, 'redis', []])('must be an object, not %s', (options) => {
    expect(thrownBy(() => new RedisSessionRegistry(options as never))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
  })

  it('are only read by the constructor: it makes no call and starts no timer', () => {
    const calls: string[] = []
    const quiet = {
      evalSha: async () => calls.push('evalSha'),
      eval: async () => calls.push('eval'),
    }
    const registry = new RedisSessionRegistry({ client: quiet })

    expect(registry.listenerCount('error')).toBe(0)
    expect(calls).toEqual([])
  })
})
