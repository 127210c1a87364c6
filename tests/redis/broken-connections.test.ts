import { expect, it } from 'vitest'
import { type ClientKind, clientKinds } from '../support/redis-clients.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnOwnRedis, describeOnRedis, testProxy, uniquePrefix } from '../support/redis-suite.ts'
import { sessionError } from '../support/session-error.ts'
import { Visitors } from '../support/visitors.ts'
import { watch } from '../support/watched.ts'
import type { Tally } from '../support/worker-jobs.ts'

const generous = { timeout: 60_000 }

async function twoRegistries(redis: { readonly url: string }, kind: ClientKind) {
  const prefix = uniquePrefix()
  const options = { kind, prefix, timeoutMs: 600_000, create: (): Tally => ({ n: 0 }) }
  return [await testRegistry<Tally>(redis, options), await testRegistry<Tally>(redis, options)] as const
}

describeOnRedis('a connection that breaks', (redis) => {
  it.each(clientKinds)(
    'loses and doubles nothing, cut again and again under load (%s)',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const [one, other] = await twoRegistries(proxy, kind)
      const visitors = new Visitors(40, [one, other])
      const load = Promise.all([visitors.use(one, 12), visitors.use(other, 12)])
      await expect.poll(() => visitors.turns).toBeGreaterThan(40)
      proxy.cutEvery(50)
      await expect.poll(() => proxy.cuts, { timeout: 30_000 }).toBeGreaterThan(60)
      proxy.heal()
      const after = visitors.turns
      await expect.poll(() => visitors.turns, { timeout: 30_000 }).toBeGreaterThan(after + 100)
      visitors.stop()
      await load

      // Each cut is short, so repeating the call must have helped.
      expect(visitors.failures).toEqual([])
      for (const id of visitors.ids) {
        expect(await one.get(id), id).toEqual({ n: visitors.acknowledged.get(id) })
        expect(visitors.created.get(id), id).toBe(1)
      }
    },
  )

  it.each(clientKinds)(
    'does not make a creation or a save happen twice when its answer is lost (%s)',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const [one, other] = await twoRegistries(proxy, kind)
      const told: string[] = []
      one.on('created', ({ id }) => told.push(id))
      await one.has('nobody')
      const creation = watch(
        one.getOrCreate('a', () => {
          proxy.swallowAnswers()
          return { n: 0 }
        }),
      )
      await expect.poll(() => proxy.bytesSwallowed, { timeout: 10_000 }).toBeGreaterThan(0)
      expect(creation.state).toBe('pending')
      proxy.heal()
      await creation.settled
      expect(creation.value).toEqual({ n: 0 })
      expect(told).toEqual(['a'])

      const turn = watch(
        one.run('a', (session) => {
          session.value.n += 1
          proxy.swallowAnswers()
        }),
      )
      await expect.poll(() => proxy.bytesSwallowed, { timeout: 10_000 }).toBeGreaterThan(0)
      expect(turn.state).toBe('pending')
      proxy.heal()
      await turn.settled
      expect(turn.state).toBe('fulfilled')
      expect(await other.get('a')).toEqual({ n: 1 })
    },
  )

  it.each([
    ['archived', 1_000],
    ['given up', 1],
  ])(
    'does not begin a life again that was %s while its creator waited for an answer',
    generous,
    async (fate, attempts) => {
      const proxy = await testProxy(redis.url)
      const prefix = uniquePrefix()
      const lives: string[] = []
      const options = {
        prefix,
        timeoutMs: 100,
        archiveAttempts: attempts,
        archive: async ({ incarnation }: { readonly incarnation: string }) => {
          lives.push(incarnation)
          if (fate === 'given up') throw new Error('this one cannot be archived')
        },
      }
      const creator = await testRegistry<Tally>(proxy, { ...options, intervalMs: Number.POSITIVE_INFINITY })
      const other = await testRegistry<Tally>(redis, options)
      const told: string[] = []
      creator.on('created', ({ incarnation }) => told.push(incarnation))
      for (const registry of [creator, other]) registry.on('error', () => {})
      await other.has('nobody')
      await creator.has('nobody')
      const creation = watch(
        creator.getOrCreate('a', () => {
          proxy.swallowAnswers()
          return { n: 0 }
        }),
      )
      await expect.poll(() => lives.length, { timeout: 4_000, interval: 10 }).toBe(1)
      proxy.heal()
      await creation.settled

      expect(creation.value).toEqual({ n: 0 })
      expect(told[0]).toBe(lives[0])
      expect(new Set(told).size).toBe(told.length)
      // Whatever lives now is another life.
      await expect.poll(() => other.has('a'), { timeout: 20_000 }).toBe(false)
      await expect.poll(() => lives.length, { timeout: 20_000 }).toBe(told.length)
      expect(new Set(lives).size).toBe(lives.length)
    },
  )

  it.each(clientKinds)(
    'rejects after some seconds of silence, and goes on when the server answers again (%s)',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const [one] = await twoRegistries(proxy, kind)
      await one.getOrCreate('a')
      proxy.goDeaf()
      const startedAt = performance.now()
      const read = watch(one.get('a'))
      await read.settled
      expect(read.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
      expect((read.error as Error).cause).toBeDefined()
      expect(performance.now() - startedAt).toBeLessThan(15_000)
      proxy.heal()

      await expect.poll(() => one.get('a').catch(() => 'still away'), { timeout: 20_000 }).toEqual({ n: 0 })
    },
  )
})

describeOnOwnRedis('a server that is gone', {}, (redis) => {
  it.each(clientKinds)(
    'rejects calls, and goes on looking at deadlines when it is back (%s)',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const archived: string[] = []
      const registry = await testRegistry<Tally>(proxy, {
        kind,
        prefix: uniquePrefix(),
        timeoutMs: 2_000,
        create: () => ({ n: 0 }),
        archive: async ({ id }) => {
          archived.push(id)
        },
      })
      registry.on('error', () => {})
      await registry.getOrCreate('a')
      proxy.refuse()
      const failed = watch(registry.getOrCreate('b'))
      await failed.settled
      expect(failed.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
      proxy.heal()

      await expect.poll(() => archived, { timeout: 30_000 }).toContain('a')
      await expect
        .poll(() => registry.getOrCreate('c').catch(() => 'still away'), { timeout: 20_000 })
        .toEqual({ n: 0 })
    },
  )
})
