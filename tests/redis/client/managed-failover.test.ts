import { Redis } from 'ioredis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { ask } from '../../support/redis-cluster.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { describeOnOwnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 60_000 }

// By default a master waits before it copies, and would not be ready in time.
const settings = { args: ['--repl-diskless-sync-delay', '0'] }

describeOnOwnRedis('a master that is demoted and keeps its connections', settings, (redis) => {
  /**
   * A name that resolves to the master, which moves to another server; open connections stay.
   */
  async function failedOver(use: (url: string) => Promise<void>): Promise<void> {
    const successor = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(redis.port)] })
    onTestFinished(() => successor.stop())
    const name = await testProxy(redis.url)
    await use(name.url)
    await waitUntil(async () =>
      (await ask(successor, 'INFO', 'replication')).includes('master_link_status:up'),
    )
    await ask(redis, 'WAIT', '1', '5000')
    await ask(successor, 'REPLICAOF', 'NO', 'ONE')
    await ask(redis, 'REPLICAOF', '127.0.0.1', String(successor.port))
    onTestFinished(async () => void (await ask(redis, 'REPLICAOF', 'NO', 'ONE')))
    name.pointTo(successor.url)
  }

  function registryOn(client: Redis): RedisSessionRegistry<string[]> {
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    return new RedisSessionRegistry<string[]>({
      client,
      prefix: uniquePrefix(),
      intervalMs: Number.POSITIVE_INFINITY,
    })
  }

  it('is left by an ioredis client with `reconnectOnError`, as documented', generous, async () => {
    let registry: RedisSessionRegistry<string[]> | undefined
    await failedOver(async (url) => {
      const reconnectOnError = (error: Error) => error.message.includes('READONLY') && 2
      registry = registryOn(new Redis(url, { reconnectOnError }))
      await registry.set('a', ['kept'])
    })

    expect(await registry?.run('a', ({ value }) => value.push('said'))).toBe(2)
    expect(await registry?.get('a')).toEqual(['kept', 'said'])
  })

  it('is not left without it: writes fail', generous, async () => {
    let registry: RedisSessionRegistry<string[]> | undefined
    await failedOver(async (url) => {
      registry = registryOn(new Redis(url))
      await registry.set('a', ['kept'])
    })

    const turn = observe(Promise.resolve(registry?.run('a', () => {})))
    await turn.settled
    expect(turn.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect(String((turn.error as Error).cause)).toMatch(/READONLY/)
  })
})
