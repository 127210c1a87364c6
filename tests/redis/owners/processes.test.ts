import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { administrator } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const never = Number.POSITIVE_INFINITY
const notOwner = sessionError('ERR_SESSION_NOT_OWNER')
const generous = { timeout: 30_000 }

/** Long before a lease lapses. */
const atOnce = { timeout: 10_000, interval: 20 }

const say = (word: string) => (session: { value: string[] }) => session.value.push(word)

describeOnRedis('the owner of a session of several processes', (redis) => {
  function make(options: Partial<RegistryOptions<string[]>> = {}) {
    const prefix = uniquePrefix()
    const shared = { prefix, shards: 1, timeoutMs: 60_000, intervalMs: never, create: () => [], ...options }
    return {
      key: `{${prefix}:0}:s:a`,
      process: (url = redis.url) => testRegistry<string[]>({ url }, shared),
    }
  }

  it('is bound by one, and compared by all', async () => {
    const { process } = make()
    const [one, other] = [await process(), await process()]
    await one.run('a', say('hello'), { owner: 'ada' })

    expect(await failureOf(() => other.open('a', { owner: 'bob' }))).toEqual(notOwner)
    expect(await other.open('a', { owner: 'ada' })).toEqual(['hello'])
    expect((await other.peek('a'))?.owner).toBe('ada')
  })

  it.each(['getOrCreate', 'open', 'run', 'set'] as const)(
    'that make it at the same time is that of one of them: %s',
    async (name) => {
      const { process } = make()
      const registries = [await process(), await process()]
      const call = (registry: RedisSessionRegistry<string[]>, owner: string): Promise<unknown> => {
        if (name === 'getOrCreate') return registry.getOrCreate('a', undefined, { owner })
        if (name === 'set') return registry.set('a', [], { owner })
        return name === 'open' ? registry.open('a', { owner }) : registry.run('a', say('hello'), { owner })
      }
      const outcomes = await Promise.allSettled(
        registries.map((registry, index) => call(registry, index === 0 ? 'ada' : 'bob')),
      )
      const isAda = outcomes[0]?.status === 'fulfilled'

      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(outcomes[isAda ? 1 : 0]).toMatchObject({ reason: notOwner })
      expect((await registries[0]?.peek('a'))?.owner).toBe(isAda ? 'ada' : 'bob')
    },
  )

  it('is assigned by one, with effect for all, and without the unchanged value being sent', async () => {
    const proxy = await testProxy(redis.url)
    const { process } = make()
    const [one, other] = [await process(proxy.url), await process()]
    await one.set('a', ['x'.repeat(100_000)], { owner: 'ada' })
    await one.get('a')
    await other.get('a')
    proxy.reset()
    await one.run('a', (session) => {
      session.owner = 'bob'
    })

    expect(proxy.bytesToServer).toBeLessThan(2_000)
    expect(await failureOf(() => other.open('a', { owner: 'ada' }))).toEqual(notOwner)
    expect(await other.open('a', { owner: 'bob' })).toHaveLength(1)
    expect((await other.peek('a'))?.owner).toBe('bob')
  })

  it('is kept if the turn that has assigned another one rejects, and if it loses its session', async () => {
    const { process } = make()
    const [one, other] = [await process(), await process()]
    await one.set('a', [], { owner: 'ada' })
    await failureOf(() =>
      one.run('a', (session) => {
        session.owner = 'bob'
        throw new Error('no')
      }),
    )
    expect((await other.peek('a'))?.owner).toBe('ada')
    const ended = await failureOf(() =>
      one.run('a', async (session) => {
        session.owner = 'bob'
        await other.replace('a', [], { owner: 'ada' })
      }),
    )

    expect(ended).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect((await other.peek('a'))?.owner).toBe('ada')
  })

  it('is compared for each turn that waits for the lock of another process', generous, async () => {
    const { key, process } = make()
    const [one, other] = [await process(), await process()]
    const admin = await administrator(redis)
    const [started, finished] = [deferred(), deferred()]
    const turn = one.run(
      'a',
      async (session) => {
        started.resolve()
        await finished.promise
        session.value.push('one')
      },
      { owner: 'ada' },
    )
    await started.promise
    const first = observe(other.run('a', say('first'), { owner: 'ada' }))
    const refused = observe(other.run('a', say('no'), { owner: 'bob' }))
    const rejecting = observe(other.run('a', say('no'), { owner: 'bob', whenBusy: 'reject' }))
    const busy = observe(other.run('a', say('no'), { owner: 'ada', whenBusy: 'reject' }))
    const last = observe(other.run('a', say('last')))
    await Promise.all([refused.settled, rejecting.settled, busy.settled])
    expect([refused.error, rejecting.error]).toEqual([notOwner, notOwner])
    expect(busy.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    expect([first.state, last.state]).toEqual(['pending', 'pending'])
    finished.resolve()
    await Promise.all([turn, first.settled, last.settled])

    expect(await one.get('a')).toEqual(['one', 'first', 'last'])
    expect(await admin.hExists(key, 'lq')).toBe(0)
  })

  it('is compared with the session as it is by the time of the turn', generous, async () => {
    const { process } = make()
    const registry = await process()
    const [started, finished] = [deferred(), deferred()]
    const turn = registry.run(
      'a',
      async (session) => {
        started.resolve()
        await finished.promise
        session.owner = 'bob'
      },
      { owner: 'ada' },
    )
    await started.promise
    const waiting = ['ada', undefined, 'ada'].map((owner) =>
      failureOf(() => registry.run('a', say('said'), owner === undefined ? {} : { owner })).catch(
        () => 'said',
      ),
    )
    finished.resolve()
    await turn

    expect(await Promise.all(waiting)).toEqual([notOwner, 'said', notOwner])
    expect(await registry.peek('a')).toMatchObject({ value: ['said'], owner: 'bob' })
  })

  it(
    'is asked of Redis where the session of a turn that runs here may be another by now',
    generous,
    async () => {
      const { process } = make()
      const [one, other] = [await process(), await process()]
      const [started, finished] = [deferred(), deferred()]
      const turn = observe(
        one.run(
          'a',
          async () => {
            started.resolve()
            await finished.promise
          },
          { owner: 'ada' },
        ),
      )
      await started.promise
      await other.replace('a', ['of bob'])
      await other.run('a', (session) => {
        session.owner = 'bob'
      })
      const waiting = observe(one.run('a', say('said'), { owner: 'bob' }))
      const refused = await failureOf(() => one.run('a', say('no'), { owner: 'cleo' }))
      finished.resolve()
      await Promise.all([turn.settled, waiting.settled])

      expect(refused).toEqual(notOwner)
      expect([turn.error, waiting.error]).toEqual([sessionError('ERR_SESSION_ENDED'), undefined])
      expect(await other.get('a')).toEqual(['of bob', 'said'])
    },
  )

  it(
    'has no lock that was taken for a turn which has left, by a turn of another owner',
    generous,
    async () => {
      const proxy = await testProxy(redis.url)
      const { process } = make()
      const [one, other] = [await process(proxy.url), await process()]
      await one.set('a', [], { owner: 'ada' })
      // The server has the scripts by then, and the turn has left its queue.
      await one.run('a', () => {})
      await one.touch('a')
      proxy.holdAnswers()
      const controller = new AbortController()
      const left = observe(one.run('a', say('no'), { owner: 'ada', signal: controller.signal }))
      const refused = observe(one.run('a', say('no'), { owner: 'bob' }))
      await waitUntil(async () => proxy.held > 0)
      controller.abort('gone')
      proxy.releaseAnswers()
      await Promise.all([left.settled, refused.settled])

      expect([left.error, refused.error]).toEqual(['gone', notOwner])
      const next = observe(other.run('a', say('said'), { owner: 'ada' }))
      await expect.poll(() => next.state, atOnce).toBe('fulfilled')
      expect(await other.get('a')).toEqual(['said'])
    },
  )

  it('leaves no mark of a process whose only waiting turns are refused', generous, async () => {
    const { key, process } = make()
    const [one, other] = [await process(), await process()]
    const admin = await administrator(redis)
    const [started, finished] = [deferred(), deferred()]
    const turn = one.run('a', async (session) => {
      started.resolve()
      session.owner = 'ada'
      await finished.promise
    })
    await started.promise
    // It waits with a mark, as it names no owner; the next one has to wait behind it.
    const controller = new AbortController()
    const left = observe(other.run('a', say('no'), { signal: controller.signal }))
    await waitUntil(async () => (await admin.hExists(key, 'lq')) === 1)
    const refused = observe(other.run('a', say('no'), { owner: 'bob' }))
    controller.abort('gone')
    await Promise.all([left.settled, refused.settled])

    expect(refused.error).toEqual(notOwner)
    // Long before it would lapse.
    await expect.poll(() => admin.hExists(key, 'lq'), { timeout: 800, interval: 10 }).toBe(0)
    finished.resolve()
    await turn
  })
})
