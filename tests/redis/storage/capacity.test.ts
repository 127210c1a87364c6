import { expect, it } from 'vitest'
import { EventRecorder } from '../../support/event-recorder.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const never = Number.POSITIVE_INFINITY
const full = sessionError('ERR_SESSION_REGISTRY_FULL')

describeOnRedis('maxSessions on Redis', (redis) => {
  it.each(['redis', 'ioredis'] as const)(
    'full shard: every creation is refused, and nothing is evicted (%s)',
    generous,
    async (kind) => {
      const registry = await testRegistry<string[]>(redis, {
        kind,
        prefix: uniquePrefix(),
        shards: 1,
        maxSessions: 2,
        create: () => ['new'],
      })
      const events = new EventRecorder<string[]>(registry)
      await registry.getOrCreate('a')
      await registry.run('b', (session) => session.value.push('turn'))
      expect(await failureOf(() => registry.getOrCreate('c'))).toEqual(full)
      expect(await failureOf(() => registry.open('c'))).toEqual(full)
      expect(await failureOf(() => registry.run('c', () => {}))).toEqual(full)
      expect(await failureOf(() => registry.set('c', []))).toEqual(full)
      expect(await registry.has('c')).toBe(false)

      // Live sessions are not affected.
      expect(await registry.getOrCreate('a')).toEqual(['new'])
      await registry.run('b', (session) => session.value.push('again'))
      await registry.set('a', ['set'])
      expect(await registry.get('a')).toEqual(['set'])
      expect(events.lines.filter((line) => line.endsWith(' c'))).toEqual([])
      await registry.delete('a')
      expect(await registry.getOrCreate('c')).toEqual(['new'])
      expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(full)
    },
  )

  it('division: rounded up per shard', generous, async () => {
    const registry = await testRegistry<string>(redis, {
      prefix: uniquePrefix(),
      shards: 4,
      maxSessions: 10,
      create: () => 'x',
    })
    let refused = 0
    for (let index = 0; index < 60; index += 1) {
      await registry.getOrCreate(`made-up-${index}`).catch((error: unknown) => {
        expect(error).toEqual(full)
        refused += 1
      })
    }

    expect(await registry.size()).toBe(12)
    expect(refused).toBe(48)
  })

  it('count: without expired sessions and those being archived', generous, async () => {
    const store = new FakeArchive('manual')
    const shared = { prefix: uniquePrefix(), shards: 1, timeoutMs: 100, maxSessions: 2, create: () => ['x'] }
    const visitors = await testRegistry<string[]>(redis, {
      ...shared,
      intervalMs: never,
      archive: store.archive,
    })
    await visitors.getOrCreate('a')
    await visitors.getOrCreate('b')
    await waitUntil(async () => !(await visitors.has('b')))
    // No process has polled their deadlines.
    expect(await visitors.size()).toBe(2)
    await visitors.set('c', [], { timeoutMs: 60_000 })
    expect(await visitors.sweep()).toBe(2)
    await visitors.set('d', [], { timeoutMs: 60_000 })

    expect(await failureOf(() => visitors.getOrCreate('e'))).toEqual(full)
    for (const call of store.calls) call.succeed()
  })

  it('count: a creation that is retried because its reply was lost counts once', generous, async () => {
    const proxy = await testProxy(redis.url)
    const shared = { prefix: uniquePrefix(), shards: 1, maxSessions: 1 }
    const registry = await testRegistry<string>(proxy, shared)
    const other = await testRegistry<string>(redis, shared)
    await registry.has('unknown')
    const created = observe(
      registry.getOrCreate('a', () => {
        proxy.swallowAnswers()
        return 'x'
      }),
    )
    await waitUntil(() => other.has('a'))
    proxy.heal()
    await created.settled

    expect(created.value).toBe('x')
  })

  it('unknown ids: do not displace cached values', generous, async () => {
    const registry = await testRegistry<string>(redis, {
      prefix: uniquePrefix(),
      maxSessions: 200,
      create: () => 'x',
    })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 2_000 }, (_, index) => registry.open(`${'made-up-'.repeat(50)}${index}`)),
    )

    expect(await registry.size()).toBeLessThanOrEqual(16 * Math.ceil(200 / 16))
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(full)
    }
  })
})
