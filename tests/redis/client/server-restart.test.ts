import { expect, it } from 'vitest'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnOwnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { Visitors } from '../../support/visitors.ts'
import type { Tally } from '../../support/worker-jobs.ts'

const generous = { timeout: 60_000 }

describeOnOwnRedis(
  'a server that is killed and restarts from its append-only file',
  { appendOnly: 'always' },
  (redis) => {
    it('has every acknowledged save, and no session was created twice', generous, async () => {
      const options = { prefix: uniquePrefix(), timeoutMs: 600_000, create: (): Tally => ({ n: 0 }) }
      const one = await testRegistry<Tally>(redis, { kind: 'redis', ...options })
      const other = await testRegistry<Tally>(redis, { kind: 'ioredis', ...options })
      const visitors = new Visitors(60, [one, other])
      const load = Promise.all([visitors.use(one, 12), visitors.use(other, 12)])
      for (const turns of [200, 500]) {
        await expect.poll(() => visitors.turns, { timeout: 30_000 }).toBeGreaterThan(turns)
        await redis.restart()
      }
      await expect.poll(() => visitors.turns, { timeout: 30_000 }).toBeGreaterThan(800)
      visitors.stop()
      await load

      for (const id of visitors.ids) {
        const { n = 0 } = (await one.get(id)) ?? {}
        const least = visitors.acknowledged.get(id) ?? 0
        expect(n, id).toBeGreaterThanOrEqual(least)
        expect(n, id).toBeLessThanOrEqual(least + (visitors.unknown.get(id) ?? 0))
        expect(visitors.created.get(id) ?? 0, id).toBeLessThanOrEqual(1)
      }
      expect(visitors.failures.filter((code) => code !== 'ERR_SESSION_BACKEND_UNAVAILABLE')).toEqual([])
    })

    it('still expires the sessions from before', generous, async () => {
      const archived = new Map<string, number>()
      const registry = await testRegistry<Tally>(redis, {
        prefix: uniquePrefix(),
        timeoutMs: 1_500,
        create: () => ({ n: 0 }),
        archive: async ({ id, value }) => {
          archived.set(id, value.n)
        },
      })
      registry.on('error', () => {})
      await registry.run('a', (session) => {
        session.value.n = 7
      })
      await redis.restart()

      await expect.poll(() => archived.get('a'), { timeout: 30_000 }).toBe(7)
    })
  },
)
