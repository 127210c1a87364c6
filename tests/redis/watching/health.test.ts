import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { FaultStore } from '../../support/fault-store.ts'
import { observe } from '../../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

const ready = { live: true, ready: true }
const closing = { live: true, ready: false, why: 'closing' }
const full = { live: true, ready: false, why: 'full' }
const failing = { live: true, ready: false, why: 'store-failing' }

describeOnRedis('health() on Redis', (redis) => {
  const make = (options: Partial<RegistryOptions<string[]>> = {}, { url } = redis) => {
    const own = { prefix: uniquePrefix(), shards: 1, create: () => [], callTimeoutMs: 300 }
    return testRegistry<string[]>({ url }, { ...own, ...options })
  }

  it('closing: from the call of `close` on, and after it', async () => {
    const registry = await make()
    await registry.getOrCreate('a')
    expect(await registry.health()).toEqual(ready)
    const closed = registry.close()
    expect(await registry.health()).toEqual(closing)
    await closed

    expect(await registry.health()).toEqual(closing)
  })

  it('full: once a creation was refused, until one is not', async () => {
    const registry = await make({ maxSessions: 1 })
    const refused = sessionError('ERR_SESSION_REGISTRY_FULL')
    await registry.getOrCreate('a')
    for (const call of [
      () => registry.getOrCreate('b'),
      () => registry.set('b', []),
      () => registry.replace('b', []),
    ]) {
      expect(await registry.health()).toEqual(ready)
      expect(await failureOf(call)).toEqual(refused)
      expect(await registry.health()).toEqual(full)
      // It needs no place.
      await registry.replace('a', [])
      expect(await registry.health()).toEqual(full)
      await registry.delete('a')
      await registry.set('a', [])
    }

    expect(await registry.health()).toEqual(ready)
  })

  it.each(['goDeaf', 'refuse'] as const)(
    'store-failing: from a call that Redis did not answer until it answers one; says so at once (%s)',
    generous,
    async (fault) => {
      const proxy = await testProxy(redis.url)
      const registry = await make({ intervalMs: Number.POSITIVE_INFINITY }, proxy)
      await registry.getOrCreate('a')
      proxy[fault]()
      const read = observe(registry.get('a'))
      const startedAt = performance.now()
      await registry.health()
      expect(performance.now() - startedAt).toBeLessThan(200)
      expect(read.state).toBe('pending')
      await read.settled
      expect(read.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
      expect(await registry.health()).toEqual(failing)
      proxy.heal()
      await expect.poll(async () => registry.get('a').catch(() => undefined), soon).toEqual([])

      expect(await registry.health()).toEqual(ready)
    },
  )

  it('store-failing: a process that has not been used learns it from its own polls', generous, async () => {
    const proxy = await testProxy(redis.url)
    const registry = await make({ intervalMs: 50 }, proxy)
    registry.on('error', () => {})
    proxy.refuse()
    expect(await registry.health()).toEqual(ready)
    await expect.poll(() => registry.health(), soon).toEqual(failing)
    proxy.heal()

    await expect.poll(() => registry.health(), soon).toEqual(ready)
  })

  it('store-failing: another shard count than the stored one', async () => {
    const prefix = uniquePrefix()
    const first = await make({ prefix, shards: 2 })
    await first.getOrCreate('a')
    const second = await make({ prefix, shards: 4 })
    second.on('error', () => {})
    await failureOf(() => second.get('a'))

    expect(await second.health()).toEqual(failing)
  })

  it('store-failing: a store whose read fails, until one succeeds', async () => {
    const store = new FaultStore()
    const registry = await make({ store })
    store.failNext('get')
    await failureOf(() => registry.open('a'))
    expect(await registry.health()).toEqual(failing)
    await registry.open('a')

    expect(await registry.health()).toEqual(ready)
  })

  it('store-failing: an `archive` that fails, until an attempt succeeds', generous, async () => {
    const archive = new FakeArchive('failing')
    const registry = await make({ timeoutMs: 50, intervalMs: 20, archive: archive.archive })
    await registry.getOrCreate('a')
    await expect.poll(() => registry.health(), soon).toEqual(failing)
    archive.mode = 'instant'

    await expect.poll(() => registry.health(), soon).toEqual(ready)
    expect(archive.stored.has('a')).toBe(true)
  })
})
