import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import type { ClientKind } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

const deadlineMs = 100
const callTimeoutMs = 600

/** Allowance for a busy machine, in milliseconds. */
const slackMs = 400

describeOnRedis('close without a connection', (redis) => {
  async function withTwoClaims(kind: ClientKind, options: { readonly leaseMs?: number } = {}) {
    const proxy = await testProxy(redis.url)
    const prefix = uniquePrefix()
    const store = new FakeArchive('manual')
    const shared = { prefix, timeoutMs: 100, leaseMs: 1_000, intervalMs: 100, callTimeoutMs, ...options }
    const registry = await testRegistry<string[]>(proxy, {
      ...shared,
      kind,
      turnGraceMs: 300,
      archiveConcurrency: 1,
      archive: store.archive,
    })
    registry.on('error', () => {})
    await registry.set('a', ['a'])
    await registry.set('b', ['b'])
    await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(2)
    await expect.poll(() => store.calls.length, soon).toBe(1)
    return { proxy, registry, store, shared }
  }

  it.each([
    ['redis', 'goDeaf'],
    ['redis', 'refuse'],
    ['ioredis', 'goDeaf'],
    ['ioredis', 'refuse'],
  ] as const)(
    'close: settles in time although a claim cannot be released (%s, %s)',
    generous,
    async (kind, fault) => {
      const { proxy, registry, store } = await withTwoClaims(kind)
      proxy[fault]()
      const startedAt = performance.now()
      const report = await registry.close({ deadlineMs })
      const tookMs = performance.now() - startedAt

      expect(tookMs).toBeLessThan(deadlineMs + callTimeoutMs + slackMs)
      expect(report.failed.map(({ id }) => id)).toEqual([store.last.id])
      expect(report).toMatchObject({ ended: 0, archived: 0 })
      proxy.heal()
    },
  )

  it.each(['redis', 'ioredis'] as const)(
    'close: an unreleased claim is not renewed, and archived elsewhere after the lease (%s)',
    generous,
    async (kind) => {
      const { proxy, registry, store, shared } = await withTwoClaims(kind, { leaseMs: 6_000 })
      proxy.refuse()
      const closing = observe(registry.close({ deadlineMs: 20_000 }))
      await new Promise((resolve) => setTimeout(resolve, callTimeoutMs + slackMs))
      proxy.heal()
      const second = new FakeArchive()
      const other = await testRegistry<string[]>(redis, { ...shared, archive: second.archive })
      await other.has('unknown')

      // The other one is still being archived here.
      await expect.poll(() => [...second.stored.keys()], soon).toHaveLength(1)
      expect(closing.state).toBe('pending')
      store.last.succeed()
      await closing.settled
    },
  )

  it.each(['redis', 'ioredis'] as const)(
    'claims: those abandoned in an outage are not renewed (%s)',
    generous,
    async (kind) => {
      const { proxy, registry, store, shared } = await withTwoClaims(kind)
      // Longer than the lease, with abandoned calls: to settle the first claim, and to load the second.
      proxy.refuse()
      store.last.succeed()
      await new Promise((resolve) => setTimeout(resolve, 1_600))
      proxy.heal()
      const second = new FakeArchive()
      const other = await testRegistry<string[]>(redis, { ...shared, archive: second.archive })
      await other.has('unknown')
      store.mode = 'instant'

      await expect
        .poll(() => new Set([...second.stored.keys(), ...store.stored.keys()]), soon)
        .toEqual(new Set(['a', 'b']))
      await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(0)
      await expect.poll(async () => (await other.stats()).archiving, soon).toBe(0)
    },
  )

  it('close: is not delayed by a turn whose save finds no server', generous, async () => {
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string[]>(proxy, {
      prefix: uniquePrefix(),
      callTimeoutMs,
      turnGraceMs: 300,
      create: () => [],
    })
    registry.on('error', () => {})
    let finish = () => {}
    const turn = observe(
      registry.run('a', async (session) => {
        session.value.push('hello')
        await new Promise<void>((resolve) => {
          finish = resolve
        })
      }),
    )
    await expect.poll(async () => (await registry.stats()).held, soon).toBe(1)
    const hold = await registry.hold('a')
    expect(hold).toBeDefined()
    proxy.goDeaf()
    finish()
    const startedAt = performance.now()
    await registry.close({ deadlineMs })

    expect(performance.now() - startedAt).toBeLessThan(deadlineMs + callTimeoutMs + slackMs)
    await turn.settled
    expect(turn.state).toBe('rejected')
    proxy.heal()
  })
})
