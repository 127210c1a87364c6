import { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { connectClient } from '../support/redis-clients.ts'
import { administrator, keysWith } from '../support/redis-keys.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { RedisServer } from '../support/redis-server.ts'
import { describeOnOwnRedis, describeOnRedis, testClient, uniquePrefix } from '../support/redis-suite.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { watch } from '../support/watched.ts'

const generous = { timeout: 60_000 }
const failed = sessionError('ERR_SESSION_BACKEND_FAILED')
const invalid = sessionError('ERR_SESSION_OPTION_INVALID')
const unfit = sessionError('ERR_SESSION_VALUE_INVALID')

describe('an object that is no client', () => {
  const wrong: [name: string, client: unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a URL', 'redis://127.0.0.1:6379'],
    ['an empty object', {}],
    ['a Map', new Map()],
    ['a function', () => {}],
    ['a client of something else', { query: async () => [], connect: async () => {} }],
  ]

  it.each(wrong)('is refused by the constructor: %s', (_, client) => {
    const error = thrownBy(() => new RedisSessionRegistry({ client: client as never }))
    expect(error).toEqual(invalid)
    expect((error as Error).message).toContain('`client`')
  })
})

describeOnRedis('options of the registry on Redis', (redis) => {
  const refused: [option: string, value: unknown][] = [
    ['clock', { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} }],
    ['maxSessions', 10],
    ['whenFull', 'evict'],
    ['shards', 0],
    ['shards', 1.5],
    ['prefix', ''],
    ['prefix', 7],
    ['leaseMs', 0],
    ['leaseMs', Number.POSITIVE_INFINITY],
    ['retentionMs', -1],
    ['codec', {}],
    ['codec', { encode: () => '' }],
    ['timeoutMs', 0],
    ['timeOutMs', 5],
  ]

  it.each(refused)('are refused with their name: %s %s', async (option, value) => {
    const client = await testClient('redis', redis.url)
    const error = thrownBy(() => new RedisSessionRegistry({ client, [option]: value }))
    expect(error).toEqual(invalid)
    expect((error as Error).message).toMatch(new RegExp(`\`${option}[\`.]`))
  })

  it('need an end by time: idle or by age', async () => {
    const client = await testClient('redis', redis.url)
    const never = Number.POSITIVE_INFINITY
    expect(thrownBy(() => new RedisSessionRegistry({ client, timeoutMs: never }))).toEqual(invalid)
    const registry = new RedisSessionRegistry({ client, timeoutMs: never, maxAgeMs: 60_000 })
    await registry.close()
  })

  it('refuse another number of shards than the one stored', async () => {
    const prefix = uniquePrefix()
    const first = await testRegistry<string>(redis, { prefix, shards: 4, create: () => 'x' })
    await first.getOrCreate('a')
    const other = await testRegistry<string>(redis, { prefix, shards: 8, create: () => 'x' })

    const mismatch = sessionError('ERR_SESSION_SHARDS_MISMATCH')
    expect(await failureOf(() => other.getOrCreate('a'))).toEqual(mismatch)
    expect(await failureOf(() => other.get('a'))).toEqual(mismatch)
    expect(await first.get('a')).toBe('x')
  })

  it('refuse ids that UTF-8 cannot carry', async () => {
    const registry = await testRegistry<string>(redis, { prefix: uniquePrefix(), create: () => 'x' })
    const badId = sessionError('ERR_SESSION_ID_INVALID')
    for (const id of ['', 'a\ud800', '\udc00', 'x'.repeat(1_025)]) {
      expect(await failureOf(() => registry.getOrCreate(id))).toEqual(badId)
      expect(await failureOf(() => registry.run(id, () => {}))).toEqual(badId)
    }
    for (const id of ['__proto__', '😀', ' ', '{a}', 'a:b', 'x'.repeat(1_024), '\u0000']) {
      expect(await registry.getOrCreate(id, () => id)).toBe(id)
      expect(await registry.get(id)).toBe(id)
    }
  })
})

describeOnRedis('a value that does not fit', (redis) => {
  const circular: unknown[] = []
  circular.push(circular)
  const unfitValues: [name: string, value: unknown][] = [
    ['undefined', undefined],
    ['a function', () => {}],
    ['a BigInt', { n: 1n }],
    ['a circle', circular],
  ]

  it.each(unfitValues)('is refused, and nothing is written: %s', async (_, value) => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const registry = await testRegistry<unknown>(redis, { prefix })
    await registry.set('kept', 'as it was')
    const before = (await keysWith(admin, prefix)).length

    expect(await failureOf(() => registry.getOrCreate('a', () => value))).toEqual(unfit)
    expect(await failureOf(() => registry.set('a', value))).toEqual(unfit)
    expect(await failureOf(() => registry.set('kept', value))).toEqual(unfit)
    const turn = registry.run('kept', (session) => {
      session.value = value
    })
    expect(await failureOf(() => turn)).toEqual(unfit)
    expect(await registry.get('kept')).toBe('as it was')
    expect(await registry.has('a')).toBe(false)
    expect(await keysWith(admin, prefix)).toHaveLength(before)
    // The turn has given its lock back.
    expect(await registry.run('kept', ({ value }) => value, { whenBusy: 'reject' })).toBe('as it was')
  })

  it('is refused when the codec throws, with what it threw as the cause', async () => {
    const broken = new Error('no such format')
    let isBroken = false
    const codec = {
      encode: (value: string) => {
        if (isBroken) throw broken
        return value
      },
      decode: (text: string) => {
        if (isBroken) throw broken
        return text
      },
    }
    const prefix = uniquePrefix()
    const registry = await testRegistry<string>(redis, { prefix, codec })
    const other = await testRegistry<string>(redis, { prefix, codec })
    await registry.set('a', 'x')
    isBroken = true

    const encoding = await failureOf(() => registry.set('b', 'y'))
    expect(encoding).toEqual(unfit)
    expect((encoding as Error).cause).toBe(broken)
    const decoding = await failureOf(() => other.get('a'))
    expect(decoding).toEqual(unfit)
    expect((decoding as Error).cause).toBe(broken)
    isBroken = false
    expect(await other.get('a')).toBe('x')
    expect(await other.has('b')).toBe(false)
  })

  it('that cannot be decoded goes to the dead list, where nothing is lost', generous, async () => {
    const prefix = uniquePrefix()
    let isBroken = true
    const codec = {
      encode: (value: string) => value,
      decode: (text: string) => {
        if (isBroken) throw new Error('no such format')
        return text
      },
    }
    const errors: unknown[] = []
    const archived: string[] = []
    const registry = await testRegistry<string>(redis, {
      prefix,
      codec,
      timeoutMs: 200,
      archiveAttempts: 1,
      archive: async ({ value }) => {
        archived.push(value)
      },
    })
    registry.on('error', (error) => errors.push(error))
    await registry.set('a', 'x')
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(archived).toEqual([])
    isBroken = false

    await expect.poll(() => registry.retryDead('a'), { timeout: 20_000 }).toBe(1)
    await expect.poll(() => archived, { timeout: 20_000 }).toEqual(['x'])
  })
})

describeOnOwnRedis('a server that answers with an error', {}, (redis) => {
  it('out of memory: rejects, and nothing is half written', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const registry = await testRegistry<string[]>(redis, { prefix, create: () => ['x'] })
    await registry.getOrCreate('kept')
    const before = (await keysWith(admin, prefix)).length
    await admin.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })
    try {
      const error = await failureOf(() => registry.getOrCreate('a'))
      expect(error).toEqual(failed)
      expect(String((error as Error).cause)).toMatch(/OOM/)
      expect(await failureOf(() => registry.set('b', ['y']))).toEqual(failed)
      expect(await failureOf(() => registry.run('kept', ({ value }) => value.push('z')))).toEqual(failed)
      expect(await keysWith(admin, prefix)).toHaveLength(before)
    } finally {
      await admin.configSet('maxmemory', '0')
    }

    expect(await registry.getOrCreate('a')).toEqual(['x'])
    expect(await registry.get('kept')).toEqual(['x'])
    expect(await registry.run('kept', ({ value }) => value.push('z'), { whenBusy: 'reject' })).toBe(2)
  })

  it('out of memory in the middle of a turn: saves all or nothing, and says which', generous, async () => {
    const admin = await administrator(redis)
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => ['x'] })
    await registry.getOrCreate('a')
    try {
      const turn = registry.run('a', async (session) => {
        session.value.push('y')
        await admin.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })
      })
      const saved = watch(turn)
      await saved.settled
      await admin.configSet('maxmemory', '0')
      if (saved.state === 'rejected') expect(saved.error).toEqual(failed)
      expect(await registry.get('a')).toEqual(saved.state === 'rejected' ? ['x'] : ['x', 'y'])
    } finally {
      await admin.configSet('maxmemory', '0')
    }
  })

  it('a replica that may only be read: rejects', generous, async () => {
    const replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(redis.port)] })
    onTestFinished(() => replica.stop())
    const registry = await testRegistry<string[]>(replica, { prefix: uniquePrefix(), create: () => [] })

    await expect.poll(() => failureOf(() => registry.getOrCreate('a')), { timeout: 20_000 }).toEqual(failed)
    expect(String(((await failureOf(() => registry.set('a', []))) as Error).cause)).toMatch(/READONLY/)
  })

  async function restricted(name: string, ...rules: string[]) {
    const admin = await administrator(redis)
    await admin.aclSetUser(name, ['on', '>secret', '~*', '&*', '+@all', ...rules])
    return { url: `redis://${name}:secret@127.0.0.1:${redis.port}` }
  }

  it('no right to run scripts: rejects', async () => {
    const limited = await restricted('no-scripts', '-@scripting')
    const registry = await testRegistry<string[]>(limited, { prefix: uniquePrefix(), create: () => [] })
    const error = await failureOf(() => registry.getOrCreate('a'))
    expect(error).toEqual(failed)
    expect(String((error as Error).cause)).toMatch(/NOPERM/)
  })

  it('no right to a command that the scripts use: rejects', async () => {
    const limited = await restricted('no-sorted-sets', '-zadd')
    const registry = await testRegistry<string[]>(limited, { prefix: uniquePrefix(), create: () => [] })
    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(failed)
  })

  it('no right to CONFIG and INFO: no fault, and nothing to warn of', async () => {
    const limited = await restricted('no-settings', '-config', '-info')
    const logger = new RecordingLogger()
    const registry = await testRegistry<string[]>(limited, {
      prefix: uniquePrefix(),
      create: () => [],
      logger,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))

    expect(await registry.getOrCreate('a')).toEqual([])
    await registry.close()
    expect(errors).toEqual([])
    expect(logger.at('warn')).toEqual([])
    expect(logger.at('error')).toEqual([])
  })

  it.each([
    ['allkeys-lru', 1],
    ['volatile-ttl', 1],
    ['noeviction', 0],
  ])('warns of a server that may evict sessions: %s', async (policy, warnings) => {
    const admin = await administrator(redis)
    await admin.configSet('maxmemory-policy', policy)
    try {
      const logger = new RecordingLogger()
      const registry = await testRegistry<string[]>(redis, {
        prefix: uniquePrefix(),
        create: () => [],
        logger,
      })
      await registry.getOrCreate('a')
      await registry.getOrCreate('b')
      await expect.poll(() => logger.at('warn').length).toBe(warnings)
      for (const { message } of logger.at('warn')) expect(message).toMatch(/noeviction/)
      await registry.close()
      expect(logger.at('warn')).toHaveLength(warnings)
    } finally {
      await admin.configSet('maxmemory-policy', 'noeviction')
    }
  })

  it('has forgotten the scripts: sends them again', async () => {
    const admin = await administrator(redis)
    const registry = await testRegistry<number[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    await registry.run('a', ({ value }) => value.push(1))
    await admin.scriptFlush()

    const turns = Array.from({ length: 50 }, (_, index) =>
      registry.run(`id-${index}`, ({ value }) => value.push(1)),
    )
    expect(await Promise.all(turns)).toEqual(turns.map(() => 1))
    await admin.scriptFlush()
    expect(await registry.run('a', ({ value }) => value.push(2))).toBe(2)
  })
})

describeOnRedis('closing', (redis) => {
  it('leaves the client open and the sessions where they are, and gives leases back', generous, async () => {
    const prefix = uniquePrefix()
    const { client, close } = await connectClient('redis', redis.url)
    onTestFinished(close)
    const hung = new Promise<void>(() => {})
    const archived: string[] = []
    const first = new RedisSessionRegistry<string>({
      client,
      prefix,
      timeoutMs: 200,
      leaseMs: 600_000,
      archive: async (_, __, { signal }) => {
        archived.push('first')
        await Promise.race([
          hung,
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        ])
      },
    })
    await first.set('a', 'x')
    await expect.poll(() => archived, { timeout: 20_000 }).toEqual(['first'])
    await first.close({ deadlineMs: 100 })
    expect(await failureOf(() => first.set('b', 'y'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(await (client as { ping(): Promise<string> }).ping()).toBe('PONG')

    // Its lease would have lasted ten minutes.
    await testRegistry<string>(redis, {
      prefix,
      timeoutMs: 200,
      archive: async ({ value }) => {
        archived.push(value)
      },
    }).then((second) => second.has('nobody'))
    await expect.poll(() => archived, { timeout: 30_000 }).toEqual(['first', 'x'])
  })
})
