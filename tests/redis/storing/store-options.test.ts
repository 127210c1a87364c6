import { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it } from 'vitest'
import { resolveRedisOptions } from '../../../src/redis/options.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

const client = { evalSha: async () => 0, eval: async () => 0 }
const store = new MemoryStore()
const make = (options: object) => () => new RedisSessionRegistry({ client, ...options } as never)

describe('the options of a store behind Redis', () => {
  it('have the documented defaults: written at the end, as JSON, kept for ever', () => {
    const { storage, canLoad, canArchive } = resolveRedisOptions({ client, store })

    expect([storage?.save, storage?.keepMs, canLoad, canArchive]).toEqual([
      'end',
      Number.POSITIVE_INFINITY,
      true,
      true,
    ])
    expect(storage?.codec.encode(['hello'])).toBe('["hello"]')
    expect(resolveRedisOptions({ client, store, save: 'end' }).storage?.save).toBe('end')
    expect(resolveRedisOptions({ client, save: 'end' }).storage).toBeUndefined()
  })

  it.each([
    ['save', { store, save: 'turn' }],
    ['save', { save: 'turn' }],
    ['save', { store, save: null }],
    ['load', { store, load: () => undefined }],
    ['archive', { store, archive: () => {} }],
    ['store', { store: null }],
    ['store', { store: './sessions.db' }],
    ['store.put', { store: { get: store.get, delete: store.delete } }],
    ['store.prune', { store: Object.assign(new MemoryStore(), { prune: 7 }) }],
    ['keepMs', { store, keepMs: 0 }],
    ['keepMs', { store, keepMs: 19_999, timeoutMs: 10_000 }],
  ])('are refused by name: %s of %o', (name, options) => {
    const error = thrownBy(make(options)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain(`\`${name}\``)
  })

  it('may have `keepMs` of exactly twice `timeoutMs`', () => {
    expect(resolveRedisOptions({ client, store, keepMs: 20_000, timeoutMs: 10_000 }).storage?.keepMs).toBe(
      20_000,
    )
  })
})

describeOnRedis('the own idle timeout of a session in a store', (redis) => {
  it('is at most half of `keepMs`', { timeout: 60_000 }, async () => {
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      create: () => [],
      store: new MemoryStore(),
      timeoutMs: 5_000,
      keepMs: 20_000,
    })
    const refused = sessionError('ERR_SESSION_OPTION_INVALID')
    await expect(registry.set('ada', [], { timeoutMs: 10_001 })).rejects.toEqual(refused)
    await expect(registry.replace('ada', [], { timeoutMs: Number.POSITIVE_INFINITY })).rejects.toEqual(
      refused,
    )
    await expect(registry.getOrCreate('ada', () => [], { timeoutMs: 10_001 })).rejects.toEqual(refused)
    expect(await registry.has('ada')).toBe(false)

    await registry.set('ada', [], { timeoutMs: 10_000 })
    await registry.run('ada', (session) => {
      expect(() => {
        session.timeoutMs = 10_001
      }).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTION_INVALID' }))
      session.timeoutMs = 9_000
    })
    expect((await registry.peek('ada'))?.timeoutMs).toBe(9_000)
  })
})
