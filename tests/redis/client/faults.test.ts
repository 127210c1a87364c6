import { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectClient } from '../../support/redis-clients.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testClient, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'

const generous = { timeout: 60_000 }
const invalid = sessionError('ERR_SESSION_OPTION_INVALID')
const unfit = sessionError('ERR_SESSION_VALUE_INVALID')

describe('an object that is not a client', () => {
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
    ['maxSessions', 0],
    ['rollback', true],
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

  it.each(refused)('are refused by name: %s %s', async (option, value) => {
    const client = await testClient('redis', redis.url)
    const error = thrownBy(() => new RedisSessionRegistry({ client, [option]: value }))
    expect(error).toEqual(invalid)
    expect((error as Error).message).toMatch(new RegExp(`\`${option}[\`.]`))
  })

  it('need a finite timeout: idle or absolute', async () => {
    const client = await testClient('redis', redis.url)
    const never = Number.POSITIVE_INFINITY
    expect(thrownBy(() => new RedisSessionRegistry({ client, timeoutMs: never }))).toEqual(invalid)
    const registry = new RedisSessionRegistry({ client, timeoutMs: never, maxAgeMs: 60_000 })
    await registry.close()
  })

  it('reject another number of shards than the stored one', async () => {
    const prefix = uniquePrefix()
    const first = await testRegistry<string>(redis, { prefix, shards: 4, create: () => 'x' })
    await first.getOrCreate('a')
    const other = await testRegistry<string>(redis, { prefix, shards: 8, create: () => 'x' })

    const mismatch = sessionError('ERR_SESSION_SHARDS_MISMATCH')
    expect(await failureOf(() => other.getOrCreate('a'))).toEqual(mismatch)
    expect(await failureOf(() => other.get('a'))).toEqual(mismatch)
    expect(await first.get('a')).toBe('x')
  })

  it('reject ids that UTF-8 cannot carry', async () => {
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

describeOnRedis('an invalid value', (redis) => {
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
    // The turn has released its lock.
    expect(await registry.run('kept', ({ value }) => value, { whenBusy: 'reject' })).toBe('as it was')
  })

  it('is refused with the error of the codec as the cause', async () => {
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

  it('that cannot be decoded is dead-lettered, and nothing is lost', generous, async () => {
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

describeOnRedis('close', (redis) => {
  it('leaves the client open and the sessions live, and releases the leases', generous, async () => {
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
    }).then((second) => second.has('unknown'))
    await expect.poll(() => archived, { timeout: 30_000 }).toEqual(['first', 'x'])
  })
})
