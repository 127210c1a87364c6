import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { type RedisClient, RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { commandClient, restClient } from '../../../examples/redis-other-clients.ts'
import { clientKinds } from '../../support/redis-clients.ts'
import { RedisCluster } from '../../support/redis-cluster.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnOwnRedis, describeOnRedis, testClient, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const generous = { timeout: 60_000 }
const never = Number.POSITIVE_INFINITY

function registryOn<T = string[]>(client: unknown): RedisSessionRegistry<T> {
  return new RedisSessionRegistry<T>({
    client: client as RedisClient,
    prefix: uniquePrefix(),
    intervalMs: never,
  })
}

describeOnRedis('a client in a mode without a reply per call', (redis) => {
  async function nodeRedis() {
    const client = createClient({ url: redis.url })
    // In legacy mode the client rejects arguments that it cannot send.
    client.on('error', () => {})
    await client.connect()
    onTestFinished(() => client.destroy())
    return client
  }

  function ioredis() {
    const client = new Redis(redis.url)
    onTestFinished(() => client.disconnect())
    return client
  }

  it.each<[string, () => unknown]>([
    ['legacy mode of node-redis', async () => (await nodeRedis()).legacy()],
    ['multi of node-redis', async () => (await nodeRedis()).multi()],
    ['a pipeline of ioredis', () => ioredis().pipeline()],
    ['multi of ioredis', () => ioredis().multi()],
    [
      'the REST client of Upstash',
      // As its source has it: the keys are a list.
      () => ({
        evalsha: async (sha: string, keys: string[], args: string[]) => [
          'evalsha',
          sha,
          keys.length,
          ...keys,
          ...args,
        ],
        eval: async () => {},
      }),
    ],
    ['callbacks', () => ({ evalsha: (..._args: unknown[]) => true, eval: () => true })],
    ['texts that are read as JSON', async () => readsJson(await testClient('redis', redis.url))],
  ])('is refused at the first call, by name: %s', async (_, make) => {
    const registry = registryOn(await make())
    for (const call of [
      () => registry.get('a'),
      () => registry.set('a', ['x']),
      () => registry.run('a', () => {}),
    ]) {
      const error = await failureOf(call)
      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect((error as Error).message).toContain('`client`')
    }
  })
})

describeOnRedis('any other client', (redis) => {
  /** A client like Bun's, and like Upstash's over HTTP. */
  async function others() {
    const inner = (await testClient('ioredis', redis.url)) as Redis
    const sent: string[] = []
    const send = async (command: string, args: string[]): Promise<unknown> => {
      sent.push(command)
      return inner.call(command, args)
    }
    const overHttp = async (command: string, what: string, keys: string[], args: string[]) => {
      const body = [command, what, String(keys.length), ...keys, ...args]
      try {
        return JSON.parse(JSON.stringify(await send(command, body.slice(1))))
      } catch (error) {
        throw new Error(`${(error as Error).message}, command was: ${JSON.stringify(body)}`)
      }
    }
    const rest = {
      eval: (source: string, keys: string[], args: string[]) => overHttp('EVAL', source, keys, args),
      evalsha: (sha: string, keys: string[], args: string[]) => overHttp('EVALSHA', sha, keys, args),
    }
    return { sent, bun: commandClient({ send }), upstash: restClient(rest), send }
  }

  it.each(['bun', 'upstash'] as const)('is used through its `run`, as documented: %s', async (kind) => {
    const clients = await others()
    const registry = registryOn<string[]>(clients[kind])
    await registry.set('a', ['Zoë', '日本語'])
    expect(await registry.run('a', ({ value }) => value.push('\u0000'))).toBe(3)
    expect(await registry.get('a')).toEqual(['Zoë', '日本語', '\u0000'])
    expect(await registry.size()).toBe(1)
    await clients.send('SCRIPT', ['FLUSH'])
    expect(await registry.delete('a')).toBe(true)
    expect(new Set(clients.sent)).toEqual(new Set(['EVALSHA', 'EVAL', 'SCRIPT']))
  })

  it('may always send the source, and may reply with texts only', async () => {
    const { sent, send } = await others()
    const registry = registryOn<string[]>({
      run: async ({ source }: { source: string }, keys: string[], args: string[]) =>
        texts(await send('EVAL', [source, String(keys.length), ...keys, ...args])),
    })
    await registry.set('a', ['x'])

    expect(await registry.run('a', ({ value }) => [...value])).toEqual(['x'])
    expect(await registry.size()).toBe(1)
    expect(new Set(sent)).toEqual(new Set(['EVAL']))
  })
})

describeOnOwnRedis('a server with too few replicas for now', {}, (redis) => {
  it.each(clientKinds)('is retried until it has enough: %s', generous, async (kind) => {
    const admin = (await testClient('redis', redis.url)) as ReturnType<typeof createClient>
    const registry = await testRegistry<string[]>(redis, { kind, prefix: uniquePrefix(), intervalMs: never })
    await registry.set('a', ['x'])
    await admin.configSet('min-replicas-to-write', '1')
    try {
      const saved = registry.set('a', ['y'])
      await new Promise((resolve) => setTimeout(resolve, 200))
      await admin.configSet('min-replicas-to-write', '0')
      await saved
    } finally {
      await admin.configSet('min-replicas-to-write', '0')
    }
    expect(await registry.get('a')).toEqual(['y'])
  })
})

describeOnOwnRedis('a single-server client on a cluster node', {}, () => {
  it('fails at once, and the error names the client to use', generous, async () => {
    const cluster = await RedisCluster.start(2, { replicated: false })
    onTestFinished(() => cluster.stop())
    const [node] = cluster.masters
    for (const kind of clientKinds) {
      const registry = await testRegistry<string[]>(node ?? redisMissing(), {
        kind,
        prefix: uniquePrefix(),
        intervalMs: never,
        create: () => [],
      })
      const startedAt = performance.now()
      const ids = Array.from({ length: 16 }, (_, index) => `id-${index}`)
      // Some of the shards are on this node, the others on the other one.
      const calls = await Promise.allSettled(ids.map((id) => registry.getOrCreate(id)))
      const failures = calls.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
      expect(failures.length, kind).toBeGreaterThan(0)
      for (const failure of failures) {
        expect(failure, kind).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
        expect(failure.message, kind).toMatch(/use a cluster client/)
      }
      expect(performance.now() - startedAt, kind).toBeLessThan(4_000)
    }
  })
})

function redisMissing(): never {
  throw new Error('the cluster has no node')
}

/** The default of REST clients. */
function readsJson(inner: ReturnType<typeof createClient>) {
  const parsed = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(parsed)
    try {
      return typeof part === 'string' ? JSON.parse(part) : part
    } catch {
      return part
    }
  }
  return {
    run: async ({ source }: { source: string }, keys: string[], args: string[]) =>
      parsed(await inner.eval(source, { keys, arguments: args })),
  }
}

function texts(part: unknown): unknown {
  return Array.isArray(part) ? part.map(texts) : String(part)
}
