import { expect, it, onTestFinished, vi } from 'vitest'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { observe } from '../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../support/redis-suite.ts'
import { failureOf, sessionError } from '../support/session-error.ts'

const generous = { timeout: 60_000 }
const never = Number.POSITIVE_INFINITY

const fakes = [
  ['of @sinonjs/fake-timers', installFakeGlobals],
  [
    'of Vitest',
    () => {
      vi.useFakeTimers()
      onTestFinished(() => void vi.useRealTimers())
    },
  ],
] as const

/** Real time, whatever timers are installed. */
const { setTimeout: realSetTimeout } = globalThis
const passes = (ms: number) => new Promise((resolve) => realSetTimeout(resolve, ms))

describeOnRedis('fake timers installed in one process', (redis) => {
  // Unlike node-redis, ioredis needs no timers of its own to send.
  const registryWith = (options: Partial<RegistryOptions<string[]>>) =>
    testRegistry<string[]>(redis, { kind: 'ioredis', prefix: uniquePrefix(), create: () => [], ...options })

  it.each(fakes)('do not stop the renewal of a lock: %s', generous, async (_, install) => {
    const options = { prefix: uniquePrefix(), leaseMs: 600, intervalMs: never }
    const registry = await registryWith(options)
    const other = await registryWith(options)
    await other.get('a')
    let end = () => {}
    const turn = observe(
      registry.run('a', async ({ value }) => {
        install()
        await new Promise<void>((resolve) => (end = resolve))
        return value.push('said')
      }),
    )
    await passes(1_500)
    expect(await failureOf(() => other.run('a', () => {}, { whenBusy: 'reject' }))).toEqual(
      sessionError('ERR_SESSION_BUSY'),
    )
    end()
    await turn.settled

    expect(turn.value).toBe(1)
    expect(await other.get('a')).toEqual(['said'])
  })

  it.each(fakes)('do not stop the polling of deadlines: %s', generous, async (_, install) => {
    const archived: string[] = []
    const registry = await registryWith({
      timeoutMs: 400,
      archive: async ({ id }) => {
        archived.push(id)
      },
    })
    await registry.set('before', [])
    install()
    await registry.set('meanwhile', [])
    for (let left = 200; left > 0 && archived.length < 2; left -= 1) await passes(50)

    expect(archived.toSorted()).toEqual(['before', 'meanwhile'])
  })

  it.each(fakes)('do not stop the timeout of a call, nor its retries: %s', generous, async (_, install) => {
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string[]>(proxy, {
      kind: 'ioredis',
      prefix: uniquePrefix(),
      callTimeoutMs: 300,
      intervalMs: never,
    })
    await registry.set('a', ['x'])
    install()
    proxy.goDeaf()
    const call = observe(registry.get('a'))
    for (let left = 200; left > 0 && call.state === 'pending'; left -= 1) await passes(50)

    expect(call.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
  })
})
