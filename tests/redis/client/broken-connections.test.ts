import { expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { type ClientKind, clientKinds } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { Visitors } from '../../support/visitors.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { Tally } from '../../support/worker-jobs.ts'

const generous = { timeout: 60_000 }

async function twoRegistries(redis: { readonly url: string }, kind: ClientKind) {
  const prefix = uniquePrefix()
  const options = { kind, prefix, timeoutMs: 600_000, create: (): Tally => ({ n: 0 }) }
  return [await testRegistry<Tally>(redis, options), await testRegistry<Tally>(redis, options)] as const
}

/** Runs the test with every client library at the same time, since it mostly waits. */
function withEachClient(test: (kind: ClientKind) => Promise<void>): () => Promise<void> {
  return async () => {
    await Promise.all(clientKinds.map(test))
  }
}

describeOnRedis('a broken connection, with each client', (redis) => {
  it(
    'repeatedly under load: loses and duplicates nothing',
    generous,
    withEachClient(async (kind) => {
      const proxy = await testProxy(redis.url)
      const [one, other] = await twoRegistries(proxy, kind)
      const visitors = new Visitors(40, [one, other])
      const load = Promise.all([visitors.use(one, 8), visitors.use(other, 8)])
      await waitUntil(() => visitors.turns > 40)
      proxy.cutEvery(50)
      await waitUntil(() => proxy.cuts > 60)
      proxy.heal()
      const after = visitors.turns
      await waitUntil(() => visitors.turns > after + 100)
      visitors.stop()
      await load

      // Each interruption is short, so retries must have succeeded.
      expect(visitors.failures, kind).toEqual([])
      for (const [id, n] of visitors.acknowledged) {
        expect(await one.get(id), `${kind} ${id}`).toEqual({ n })
        expect(visitors.created.get(id), `${kind} ${id}`).toBe(1)
      }
    }),
  )

  it(
    'lost reply: a creation or a save happens once',
    generous,
    withEachClient(async (kind) => {
      const proxy = await testProxy(redis.url)
      const [one, other] = await twoRegistries(proxy, kind)
      const recorded: string[] = []
      // The server has the scripts by then: a lost NOSCRIPT reply would be harmless.
      await other.run('warm', (session) => {
        session.value.n += 1
      })
      one.on('created', ({ id }) => recorded.push(id))
      await one.has('unknown')
      const creation = observe(
        one.getOrCreate('a', () => {
          proxy.swallowAnswers()
          return { n: 0 }
        }),
      )
      await waitUntil(() => proxy.bytesSwallowed > 0)
      expect(creation.state, kind).toBe('pending')
      proxy.heal()
      await creation.settled
      expect(creation.value, kind).toEqual({ n: 0 })
      expect(recorded, kind).toEqual(['a'])

      const turn = observe(
        one.run('a', (session) => {
          session.value.n += 1
          proxy.swallowAnswers()
        }),
      )
      await waitUntil(() => proxy.bytesSwallowed > 0)
      expect(turn.state, kind).toBe('pending')
      proxy.heal()
      await turn.settled
      expect(turn.state, kind).toBe('fulfilled')
      expect(await other.get('a'), kind).toEqual({ n: 1 })
    }),
  )

  it(
    'silent server: rejects after some seconds, and continues when the server responds again',
    generous,
    withEachClient(async (kind) => {
      const proxy = await testProxy(redis.url)
      const [one] = await twoRegistries(proxy, kind)
      await one.getOrCreate('a')
      proxy.goDeaf()
      const startedAt = performance.now()
      const read = observe(one.get('a'))
      await read.settled
      expect(read.error, kind).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
      expect((read.error as Error).cause, kind).toBeDefined()
      // 5 s, and what a busy machine adds.
      expect(performance.now() - startedAt, kind).toBeLessThan(15_000)
      proxy.heal()

      await waitUntil(async () => (await one.get('a').catch(() => undefined))?.n === 0)
    }),
  )

  it(
    'no server: rejects calls, and continues to poll the deadlines when it is back',
    generous,
    withEachClient(async (kind) => {
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
      const failed = observe(registry.getOrCreate('b'))
      await failed.settled
      expect(failed.error, kind).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
      proxy.heal()

      await waitUntil(() => archived.includes('a'))
      await waitUntil(async () => (await registry.getOrCreate('c').catch(() => undefined))?.n === 0)
    }),
  )
})

describeOnRedis('a session whose creation waits for a reply', (redis) => {
  it.each([
    ['archived', 1_000],
    ['given up', 1],
  ])('is not created again after it was %s', generous, async (fate, attempts) => {
    const proxy = await testProxy(redis.url)
    const prefix = uniquePrefix()
    const begun: string[] = []
    const options = {
      prefix,
      timeoutMs: 100,
      archiveAttempts: attempts,
      archive: async ({ incarnation }: { readonly incarnation: string }) => {
        begun.push(incarnation)
        if (fate === 'given up') throw new Error('this one cannot be archived')
      },
    }
    const creator = await testRegistry<Tally>(proxy, { ...options, intervalMs: Number.POSITIVE_INFINITY })
    const other = await testRegistry<Tally>(redis, options)
    const recorded: string[] = []
    creator.on('created', ({ incarnation }) => recorded.push(incarnation))
    for (const registry of [creator, other]) registry.on('error', () => {})
    const warm = await testRegistry<Tally>(redis, { prefix: uniquePrefix() })
    await warm.getOrCreate('a', () => ({ n: 0 }))
    await other.has('unknown')
    await creator.has('unknown')
    const creation = observe(
      creator.getOrCreate('a', () => {
        proxy.swallowAnswers()
        return { n: 0 }
      }),
    )
    await expect.poll(() => begun.length, { timeout: 4_000, interval: 10 }).toBe(1)
    proxy.heal()
    await creation.settled

    expect(creation.value).toEqual({ n: 0 })
    expect(recorded[0]).toBe(begun[0])
    expect(new Set(recorded).size).toBe(recorded.length)
    // A session that is live now is another incarnation.
    await expect.poll(() => other.has('a'), { timeout: 20_000 }).toBe(false)
    await expect.poll(() => begun.length, { timeout: 20_000 }).toBe(recorded.length)
    // Several polls of the deadlines later.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(new Set(begun).size).toBe(begun.length)
  })
})
