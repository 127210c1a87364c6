import { SessionRegistry } from 'session-registry'
import { expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { inspectorOf } from '../support/inspector-requests.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../support/redis-suite.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 20 }

describeOnRedis('an inspector of registries on Redis', (redis) => {
  const make = ({ url } = redis, options: object = {}) =>
    testRegistry<string[]>({ url }, { prefix: uniquePrefix(), shards: 1, create: () => [], ...options })

  it('shows what this process does, and the number of sessions of all', generous, async () => {
    const registry = await make(redis, { name: 'on redis' })
    const { first } = inspectorOf(registry)
    const turn = deferred<void>()
    const started = deferred<void>()
    await registry.set('idle', [])
    const running = registry.run('busy', () => {
      started.resolve()
      return turn.promise
    })
    await started.promise
    const waiting = registry.run('busy', () => {})
    const { busy, idle, ...shown } = await first()

    expect(shown).toMatchObject({
      name: 'on redis',
      isShared: true,
      health: { ready: true },
      stats: { size: 2, running: 1, waiting: 1 },
    })
    expect(busy).toEqual([
      expect.objectContaining({ ref: registry.ref('busy'), state: 'held', waiting: 1, holds: 0 }),
    ])
    expect(idle).toEqual([])
    turn.resolve()
    await Promise.all([running, waiting])
    await registry.delete('idle')
    await expect.poll(async () => (await first()).endsByReason, soon).toEqual({ deleted: 1 })
  })

  it('ends a session by its ref, though no list shows it', generous, async () => {
    const registry = await make()
    await registry.set('a', [])
    await registry.set('b', [])
    const { end } = inspectorOf(registry, { endSessions: true })

    expect((await end(registry.ref('a'))).status).toBe(200)
    expect([await registry.has('a'), await registry.has('b')]).toEqual([false, true])
    expect((await end(registry.ref('a'))).status).toBe(404)
  })

  it.each(['goDeaf', 'refuse'] as const)(
    'while Redis is away: the page answers within seconds, says so, and shows the others (%s)',
    generous,
    async (fault) => {
      const proxy = await testProxy(redis.url)
      const registry = await make(proxy, { name: 'away', callTimeoutMs: 2_500 })
      registry.on('error', () => {})
      await registry.set('a', [])
      const here = new SessionRegistry<number>({ name: 'here', create: () => 1 })
      here.getOrCreate('a')
      const { get, snapshot, end } = inspectorOf([registry, here], { endSessions: true })
      proxy[fault]()
      const startedAt = performance.now()
      expect((await get()).status).toBe(200)
      const [away, other] = (await snapshot()).registries
      expect(performance.now() - startedAt).toBeLessThan(2_400)
      expect(away).toMatchObject({ name: 'away', problem: 'no reply yet', busy: [], idle: [] })
      expect(away).not.toHaveProperty('stats')
      expect(other).toMatchObject({ name: 'here', stats: { size: 1 } })
      expect(other).not.toHaveProperty('problem')
      await expect
        .poll(async () => (await snapshot()).registries[0], soon)
        .toMatchObject({
          problem: expect.stringMatching(/^ERR_SESSION_BACKEND_UNAVAILABLE/),
          health: { ready: false },
        })
      const response = await end(registry.ref('a'))
      expect([response.status, await response.json()]).toEqual([
        503,
        { ended: false, problem: expect.stringMatching(/^ERR_SESSION_BACKEND_UNAVAILABLE/) },
      ])
      proxy.heal()

      await expect
        .poll(async () => (await snapshot()).registries[0], soon)
        .toMatchObject({ stats: { size: 1 }, health: { ready: true } })
    },
  )
})
