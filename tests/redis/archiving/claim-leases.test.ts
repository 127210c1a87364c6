import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 5 }

describeOnRedis('the claim of a session being archived', (redis) => {
  it.each(['redis', 'ioredis'] as const)(
    'leaseMs: the hook of a disconnected process is aborted before another process takes over (%s)',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const shared = { prefix: uniquePrefix(), timeoutMs: 50, leaseMs: 900, intervalMs: 20 }
      const first = new FakeArchive('manual')
      // Its calls are retried for longer than the lease.
      const cutOff = await testRegistry<string[]>(proxy, { ...shared, kind, archive: first.archive })
      await cutOff.set('a', ['hello'])
      await expect.poll(() => first.calls.length, soon).toBe(1)
      proxy.goDeaf()
      const aborted: boolean[] = []
      const second = new FakeArchive()
      const other = await testRegistry<string[]>(redis, {
        ...shared,
        archive: async (...args) => {
          aborted.push(first.last.signal.aborted)
          await second.archive(...args)
        },
      })
      await other.has('unknown')
      await expect.poll(() => [...second.stored], soon).toEqual([['a', ['hello']]])

      expect(aborted).toEqual([true])
      expect(first.last.signal.reason).toEqual(sessionError('ERR_SESSION_LOCK_LOST'))
      expect(second.last.attempt).toBe(2)
      proxy.heal()
    },
  )

  it('leaseMs: is renewed while the hook runs', generous, async () => {
    const shared = { prefix: uniquePrefix(), timeoutMs: 50, leaseMs: 300, intervalMs: 20 }
    const first = new FakeArchive('manual')
    const second = new FakeArchive()
    const archiving = await testRegistry<string[]>(redis, { ...shared, archive: first.archive })
    await archiving.set('a', ['hello'])
    await expect.poll(() => first.calls.length, soon).toBe(1)
    const other = await testRegistry<string[]>(redis, { ...shared, archive: second.archive })
    await other.has('unknown')
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(first.last.signal.aborted).toBe(false)
    first.last.succeed()

    await expect.poll(async () => (await archiving.stats()).archiving, soon).toBe(0)
    expect(first.calls).toHaveLength(1)
    expect(second.calls).toEqual([])
  })
})
