import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const busy = sessionError('ERR_SESSION_BUSY')
const full = sessionError('ERR_SESSION_QUEUE_FULL')

describeOnRedis('waiting turns', (redis) => {
  async function processes(options: Partial<RegistryOptions<string[]>> = {}) {
    const all = {
      prefix: uniquePrefix(),
      intervalMs: Number.POSITIVE_INFINITY,
      create: () => [],
      ...options,
    }
    return [await testRegistry<string[]>(redis, all), await testRegistry<string[]>(redis, all)] as const
  }
  const begin = async (registry: Awaited<ReturnType<typeof processes>>[0]) => {
    const [begun, goOn] = [deferred(), deferred()]
    const turn = registry.run('a', async () => {
      begun.resolve()
      await goOn.promise
    })
    await begun.promise
    return async () => {
      goOn.resolve()
      await turn
    }
  }

  it.each([
    ['this', 0],
    ['another', 1],
  ] as const)('waitMs: ends the wait for a turn of %s process', async (_, index) => {
    const registries = await processes()
    const finish = await begin(registries[0])
    const startedAt = performance.now()

    expect(await failureOf(() => registries[index].run('a', () => {}, { waitMs: 100 }))).toEqual(busy)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95)
    await finish()
    expect(await registries[index].run('a', () => 'next', { waitMs: 5_000 })).toBe('next')
  })

  it('waitMs: ends the wait for a load, which is aborted when the last call leaves', async () => {
    let signal: AbortSignal | undefined
    const [one] = await processes({
      load: (_id, context) => {
        signal = context.signal
        return new Promise(() => {})
      },
    })

    expect(await failureOf(() => one.run('a', () => {}, { waitMs: 50 }))).toEqual(busy)
    expect(signal?.aborted).toBe(true)
    expect(await failureOf(() => one.run('b', () => {}, { waitMs: 50, whenBusy: 'join' }))).toEqual(busy)
  })

  it('waitMs 0: is `reject`', async () => {
    const [one, other] = await processes()
    const finish = await begin(one)

    for (const registry of [one, other]) {
      expect(await failureOf(() => registry.run('a', () => {}, { waitMs: 0 }))).toEqual(busy)
    }
    await finish()
  })

  it('maxWaiting: one turn more is refused, and the others keep their places', async () => {
    const [one] = await processes({ maxWaiting: 2 })
    const finish = await begin(one)
    const order: number[] = []
    const waiting = [1, 2].map((n) => one.run('a', () => order.push(n)))
    expect(await one.stats()).toMatchObject({ running: 1, waiting: 2 })

    expect(await failureOf(() => one.run('a', () => {}))).toEqual(full)
    expect(await one.run('a', () => 'beside', { whenBusy: 'join' })).toBe('beside')
    await finish()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2])
    expect(await one.stats()).toMatchObject({ running: 0, waiting: 0 })
  })

  it('maxWaiting 0: a turn is refused while one of another process runs', async () => {
    const [one, other] = await processes({ maxWaiting: 0 })
    const finish = await begin(one)

    expect(await failureOf(() => one.run('a', () => {}))).toEqual(full)
    expect(await failureOf(() => other.run('a', () => {}))).toEqual(full)
    await finish()
    expect(await other.run('a', () => 'next')).toBe('next')
  })

  it.each(['wait', 'join'] as const)(
    'maxWaiting: counts those that wait for a load, all but the first (%s)',
    async (whenBusy) => {
      const answer = deferred<string[]>()
      const [one] = await processes({ maxWaiting: 2, load: () => answer.promise })
      const turns = [1, 2, 3].map(() => one.run('a', () => 'ran', { whenBusy }))
      for (let round = 0; round < 3; round += 1) await one.has('a')

      expect(await failureOf(() => one.run('a', () => {}, { whenBusy }))).toEqual(full)
      answer.resolve([])
      expect(await Promise.all(turns)).toEqual(['ran', 'ran', 'ran'])
    },
  )

  it('20 000 of them: are aborted quickly, by one signal', { timeout: 30_000 }, async () => {
    const [one] = await processes({ maxWaiting: Number.POSITIVE_INFINITY })
    const finish = await begin(one)
    const controller = new AbortController()
    const reason = new Error('gone')
    const runs = Array.from({ length: 20_000 }, () =>
      observe(one.run('a', () => {}, { signal: controller.signal })),
    )
    const startedAt = performance.now()
    controller.abort(reason)
    await Promise.all(runs.map(({ settled }) => settled))

    // A linear search for each of them took seconds.
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(new Set(runs.map(({ error }) => error))).toEqual(new Set([reason]))
    await finish()
    expect(await one.run('a', () => 'next')).toBe('next')
  })

  it('an async generator as a turn: is refused, and the lock is released', async () => {
    const [one, other] = await processes()
    const turn = one.run('a', async function* () {
      yield 'never read'
    })

    expect(await failureOf(() => turn)).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(await other.run('a', () => 'next', { whenBusy: 'reject' })).toBe('next')
  })
})
