import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { EventRecorder } from '../../support/event-recorder.ts'
import { observe } from '../../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const soon = { timeout: 20_000, interval: 10 }

describeOnRedis('set', (redis) => {
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
    const turn = registry.run('a', async (session) => {
      begun.resolve()
      await goOn.promise
      session.value.push('of the turn')
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
  ] as const)('waits for a running turn of %s process, then assigns', async (_, index) => {
    const registries = await processes()
    const finish = await begin(registries[0])
    const events = new EventRecorder<string[]>(registries[0])
    const setting = registries[index]
    const set = observe(setting.set('a', ['assigned']))
    for (let round = 0; round < 3; round += 1) await setting.has('a')
    expect(set.state).toBe('pending')
    await finish()
    await set.settled

    expect(set.error).toBeUndefined()
    for (const registry of registries) expect(await registry.get('a')).toEqual(['assigned'])
    expect(events.lines).toEqual([])
  })

  it('waits in the queue of its process', async () => {
    const [one] = await processes()
    const finish = await begin(one)
    const seen: string[][] = []
    const see = () => one.run('a', ({ value }) => void seen.push([...value]))
    const all = [see(), one.set('a', ['assigned']), see()]
    await finish()
    await Promise.all(all)

    expect(seen).toEqual([['of the turn'], ['assigned']])
  })

  it('creates a session with its own timeout if the one it waited for has ended', async () => {
    const [one, other] = await processes()
    const finish = await begin(one)
    const set = one.set('a', ['begun'], { timeoutMs: 77_000 })
    await other.delete('a')
    await failureOf(finish)
    await set

    expect(await one.peek('a')).toMatchObject({ value: ['begun'], timeoutMs: 77_000 })
  })

  it('inside a turn: is saved with the turn, and discarded with it', async () => {
    const [one, other] = await processes()
    await one.run('a', async (session) => {
      await one.set('a', ['assigned'])
      expect(session.value).toEqual(['assigned'])
      expect(await other.get('a')).toEqual([])
    })
    expect(await other.get('a')).toEqual(['assigned'])
    const failed = one.run('a', async () => {
      await one.set('a', ['lost'])
      throw new Error('stop')
    })
    await failureOf(() => failed)

    expect(await other.get('a')).toEqual(['assigned'])
  })

  it('copies the value at the call', async () => {
    const [one] = await processes()
    const finish = await begin(one)
    const value = ['assigned']
    const set = one.set('a', value)
    value.push('changed afterwards')
    await finish()
    await set

    expect(await one.get('a')).toEqual(['assigned'])
  })

  it('needs one round trip, for a live session and for a new one', async () => {
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string[]>(proxy, {
      prefix: uniquePrefix(),
      intervalMs: Number.POSITIVE_INFINITY,
    })
    await registry.set('warm', ['up'])
    proxy.reset()
    await registry.set('a', ['new'])
    expect(proxy.commands).toEqual(['EVALSHA'])
    proxy.reset()
    await registry.set('a', ['assigned'])
    expect(proxy.commands).toEqual(['EVALSHA'])
  })

  it('counts as a waiting turn', async () => {
    const [one] = await processes({ maxWaiting: 1 })
    const finish = await begin(one)
    const waiting = one.set('a', ['first'])

    expect(await failureOf(() => one.set('a', ['second']))).toEqual(sessionError('ERR_SESSION_QUEUE_FULL'))
    await finish()
    await waiting
    expect(await one.get('a')).toEqual(['first'])
  })

  it('is refused after close', async () => {
    const [one] = await processes()
    await one.close()
    const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

    expect(await failureOf(() => one.set('a', []))).toEqual(closed)
    expect(await failureOf(() => one.replace('a', []))).toEqual(closed)
  })
})

describeOnRedis('replace', (redis) => {
  it('starts a new incarnation at once, beside a running turn of another process, which then saves nothing', async () => {
    const options = { prefix: uniquePrefix(), leaseMs: 300, create: (): string[] => [] }
    const one = await testRegistry<string[]>(redis, options)
    const other = await testRegistry<string[]>(redis, options)
    const [begun, ended] = [deferred(), deferred<unknown>()]
    const turn = observe(
      one.run('a', async (session, signal) => {
        begun.resolve()
        signal.addEventListener('abort', () => ended.resolve(signal.reason))
        await ended.promise
        session.value.push('never saved')
      }),
    )
    await begun.promise
    const events = new EventRecorder<string[]>(other)
    await other.replace('a', ['new life'])
    expect(events.lines).toEqual(['ended a replaced', 'created a'])
    expect(await one.get('a')).toEqual(['new life'])
    await turn.settled

    expect(turn.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    await expect.poll(() => one.get('a'), soon).toEqual(['new life'])
  })
})
