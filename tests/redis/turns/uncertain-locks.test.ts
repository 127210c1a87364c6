import { Redis } from 'ioredis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { clientKinds } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 60_000 }
const unavailable = sessionError('ERR_SESSION_BACKEND_UNAVAILABLE')

/** Long before the lease of a lock lapses. */
const atOnce = { timeout: 10_000, interval: 20 }

const options = {
  callTimeoutMs: 500,
  leaseMs: 60_000,
  intervalMs: Number.POSITIVE_INFINITY,
  create: (): string[] => [],
}

/** Blocks the event loop, like a process that is suspended and resumed. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describeOnRedis('a lock whose call was abandoned', (redis) => {
  it.each(clientKinds)('is free for the next turn at once if it was taken: %s', generous, async (kind) => {
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string[]>(proxy, { ...options, kind, prefix: uniquePrefix() })
    await registry.run('a', ({ value }) => value.push('kept'))
    proxy.swallowAnswers()
    expect(await failureOf(() => registry.run('a', () => {}))).toEqual(unavailable)
    expect(await failureOf(() => registry.run('new', () => {}))).toEqual(unavailable)
    proxy.heal()
    await waitUntil(async () => (await registry.get('a').catch(() => undefined)) !== undefined)

    const turns = observe(Promise.all(['a', 'new'].map((id) => registry.run(id, ({ value }) => [...value]))))
    await expect.poll(() => turns.value, atOnce).toEqual([['kept'], []])
  })

  it.each(clientKinds)(
    'is free for the next turn at once if it was not released: %s',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const registry = await testRegistry<string[]>(proxy, { ...options, kind, prefix: uniquePrefix() })
      await registry.run('a', ({ value }) => value.push('kept'))
      const turn = registry.run('a', ({ value }) => {
        value.push('lost')
        proxy.goDeaf()
      })
      const startedAt = performance.now()
      expect(await failureOf(() => turn)).toEqual(unavailable)
      // Once `callTimeoutMs`, not twice: the caller does not wait for the release.
      expect(performance.now() - startedAt).toBeLessThan(2 * options.callTimeoutMs)
      // The release is abandoned as well.
      await new Promise((resolve) => setTimeout(resolve, 2 * options.callTimeoutMs))
      proxy.heal()
      await waitUntil(async () => (await registry.get('a').catch(() => undefined)) !== undefined)

      const next = observe(registry.run('a', ({ value }) => [...value]))
      await expect.poll(() => next.value, atOnce).toEqual(['kept'])
    },
  )
})

describeOnRedis('a turn that fails because Redis is unavailable', (redis) => {
  it.each(clientKinds)(
    'rejects when its own call is abandoned, not after a second one: %s',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const registry = await testRegistry<string[]>(proxy, { ...options, kind, prefix: uniquePrefix() })
      await registry.run('a', () => {})
      let startedAt = 0
      const turn = registry.run('a', async () => {
        proxy.goDeaf()
        startedAt = performance.now()
        await registry.get('b')
      })

      expect(await failureOf(() => turn)).toEqual(unavailable)
      expect(performance.now() - startedAt).toBeLessThan(2 * options.callTimeoutMs)
    },
  )
})

describeOnRedis('a process suspended for longer than `callTimeoutMs`', (redis) => {
  it('executes its calls when it resumes, although the client abandoned them', generous, async () => {
    const client = new Redis(redis.url, { commandTimeout: 200 })
    onTestFinished(() => client.disconnect())
    const registry = new RedisSessionRegistry<string[]>({ client, ...options, prefix: uniquePrefix() })
    await registry.run('a', ({ value }) => value.push('first'))
    await registry.set('b', ['kept'])
    const turn = registry.run('a', ({ value }) => value.push('second'))
    const read = registry.get('b')
    await new Promise((resolve) => setImmediate(resolve))
    standStill(1_500)

    expect(await turn).toBe(2)
    expect(await read).toEqual(['kept'])
    expect(await registry.run('a', ({ value }) => [...value])).toEqual(['first', 'second'])
  })
})
