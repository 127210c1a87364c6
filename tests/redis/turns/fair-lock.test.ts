import { setTimeout as wait } from 'node:timers/promises'
import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { administrator } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testClient, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf } from '../../support/session-error.ts'

const generous = { timeout: 60_000 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('a turn lock under contention', (redis) => {
  async function processes(count: number, kind: 'redis' | 'ioredis' = 'redis') {
    const prefix = uniquePrefix()
    const options = { kind, prefix, shards: 1, intervalMs: never, leaseMs: 60_000, create: () => [] }
    const registries = await Promise.all(
      Array.from({ length: count }, () => testRegistry<string[]>(redis, options)),
    )
    const admin = await administrator(redis)
    const marks = async () => {
      const text = (await admin.hGet(`{${prefix}:0}:s:a`, 'lq')) ?? ''
      return text === '' ? 0 : text.split(' ').length
    }
    return { registries, marks, prefix }
  }

  /** A process that always has a waiting turn, with the number of turns that it began. */
  function busy(registry: RedisSessionRegistry<string[]>, forMs = 15) {
    const state = { turns: 0, isStopped: false }
    const visitor = async () => {
      while (!state.isStopped) {
        await registry.run('a', async () => {
          state.turns += 1
          await wait(forMs)
        })
      }
    }
    const finished = Promise.all([visitor(), visitor(), visitor()])
    return {
      state,
      stop: async () => {
        state.isStopped = true
        await finished
      },
    }
  }

  it.each(['redis', 'ioredis'] as const)(
    'fairness: a process waits for about two turns of one that always has one waiting (%s)',
    generous,
    async (kind) => {
      const { registries } = await processes(2, kind)
      const [greedy, modest] = registries as [RedisSessionRegistry<string[]>, RedisSessionRegistry<string[]>]
      const { state, stop } = busy(greedy)
      const waited: number[] = []
      for (let round = 0; round < 10; round += 1) {
        await expect.poll(() => state.turns, { interval: 5 }).toBeGreaterThan(round)
        const before = state.turns
        await modest.run('a', () => waited.push(state.turns - before))
      }
      await stop()

      // One that was about to begin when it came, and the next where its first call came too late.
      expect(Math.max(...waited)).toBeLessThanOrEqual(2)
    },
  )

  it('fairness: three processes with permanent demand alternate', generous, async () => {
    const { registries } = await processes(3)
    const all = registries.map((registry) => busy(registry))
    await expect
      .poll(() => all.reduce((sum, { state }) => sum + state.turns, 0), { timeout: 30_000, interval: 5 })
      .toBeGreaterThan(30)
    const turns = all.map(({ state }) => state.turns)
    await Promise.all(all.map(({ stop }) => stop()))

    expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(3)
  })

  it(
    'mark of a waiting turn: is removed when it is aborted, so that no other waits for it',
    generous,
    async () => {
      const { registries, marks } = await processes(2)
      const [first, second] = registries as [RedisSessionRegistry<string[]>, RedisSessionRegistry<string[]>]
      const goOn = deferred()
      const running = first.run('a', () => goOn.promise)
      await expect.poll(async () => (await first.peek('a'))?.held).toBe(true)
      const controller = new AbortController()
      const waiting = failureOf(() => second.run('a', () => {}, { signal: controller.signal }))
      await expect.poll(marks).toBe(1)
      controller.abort(new Error('gone'))
      await waiting

      await expect.poll(marks, { timeout: 500, interval: 5 }).toBe(0)
      goOn.resolve()
      await running
    },
  )

  it('mark of a crashed process: lapses within about a second', generous, async () => {
    const { registries, prefix, marks } = await processes(1)
    const [first] = registries as [RedisSessionRegistry<string[]>]
    const client = await testClient('redis', redis.url)
    const dying = new RedisSessionRegistry<string[]>({ client, prefix, shards: 1, intervalMs: never })
    const goOn = deferred()
    const running = first.run('a', () => goOn.promise)
    await expect.poll(async () => (await first.peek('a'))?.held).toBe(true)
    dying.run('a', () => {}).catch(() => {})
    await expect.poll(marks).toBe(1)
    // From now on none of its calls arrives.
    ;(client as { destroy(): void }).destroy()
    goOn.resolve()
    await running
    const startedAt = performance.now()
    await first.run('a', () => {})

    expect(performance.now() - startedAt).toBeLessThan(2_500)
    await dying.close({ deadlineMs: 0 })
  })

  it(
    'turn that does not wait: leaves no mark, and is refused while another process waits',
    generous,
    async () => {
      const { registries, marks } = await processes(3)
      const [first, second, third] = registries as [
        RedisSessionRegistry<string[]>,
        RedisSessionRegistry<string[]>,
        RedisSessionRegistry<string[]>,
      ]
      const goOn = deferred()
      const running = first.run('a', () => goOn.promise)
      await expect.poll(async () => (await first.peek('a'))?.held).toBe(true)
      const refused = await failureOf(() => third.run('a', () => {}, { whenBusy: 'reject' }))
      expect(refused).toMatchObject({ code: 'ERR_SESSION_BUSY' })
      expect(await marks()).toBe(0)
      const waiting = second.run('a', () => {})
      await expect.poll(marks).toBe(1)
      goOn.resolve()
      await Promise.all([running, waiting])
      expect(await marks()).toBe(0)
    },
  )
})
