import type { StoredSession } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it } from 'vitest'
import { RecordingStore } from '../../support/recording-store.ts'
import type { ClientKind } from '../../support/redis-clients.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const patient = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => {
  session.value.push(word)
}

const stored = (more: Partial<StoredSession> = {}): StoredSession => ({
  id: 'ada',
  text: '["hello"]',
  revision: 'r-1',
  createdAt: Date.now() - 1_000,
  lastActiveAt: Date.now() - 500,
  ...more,
})

describeOnRedis('a store behind Redis', (redis) => {
  const make = (
    store: RecordingStore,
    options: Partial<RegistryOptions<string[]>> = {},
  ): Promise<RedisSessionRegistry<string[]>> =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      create: () => [],
      store,
      ...options,
    })

  const expire = async (registry: RedisSessionRegistry<string[]>, id = 'ada') => {
    await expect.poll(() => registry.has(id), soon).toBe(false)
    await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(0)
  }

  describe.each<ClientKind>(['redis', 'ioredis'])('with %s', (kind) => {
    it('receives a session when it has expired, and gives it back to the next call', patient, async () => {
      const store = new RecordingStore()
      const registry = await make(store, { kind })
      const ended: string[] = []
      registry.on('ended', (session, reason) => ended.push(`${session.id} ${reason}`))
      await registry.run('ada', say('hello'))
      expect(store.count('put')).toBe(0)

      await expect.poll(() => ended, soon).toEqual(['ada idle'])
      expect(store.stored('ada')?.text).toBe('["hello"]')
      await registry.run('ada', say('again'))

      expect(await registry.get('ada')).toEqual(['hello', 'again'])
      expect((await registry.stats()).loaded).toBe(1)
    })
  })

  it('gives every process the session, and is not read while the session is in Redis', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix, timeoutMs: 60_000 })
    const other = await make(store, { prefix, timeoutMs: 60_000 })
    store.keep(stored())

    expect(await one.open('ada')).toEqual(['hello'])
    expect(await other.open('ada')).toEqual(['hello'])
    expect(store.count('get')).toBe(1)
  })

  it('is not written again for a session that has not changed since it was read', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    const ended: string[] = []
    registry.on('ended', (session) => ended.push(session.id))
    store.keep(stored())
    await registry.open('ada')
    await expect.poll(() => ended, soon).toEqual(['ada'])
    expect(store.stored('ada')?.revision).toBe('r-1')

    await registry.run('ada', say('again'))
    await expect.poll(() => ended, soon).toEqual(['ada', 'ada'])
    expect(store.stored('ada')?.text).toBe('["hello","again"]')
    expect(store.stored('ada')?.revision).not.toBe('r-1')
    expect(store.count('put')).toBe(1)
  })

  it(
    'is written again where its time of activity would fall behind by a quarter of `keepMs`',
    patient,
    async () => {
      const store = new RecordingStore()
      const registry = await make(store, { keepMs: 8_000 })
      const lastActiveAt = Date.now() - 3_000
      store.keep(stored({ lastActiveAt }))
      await registry.open('ada')

      await expect.poll(() => store.count('put'), soon).toBe(1)
      await expect.poll(() => store.stored('ada')?.lastActiveAt, soon).toBeGreaterThan(lastActiveAt + 2_000)
    },
  )

  it('keeps the creation time, the own idle timeout and the owner', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    const createdAt = Date.now() - 3_600_000
    store.keep(stored({ createdAt, timeoutMs: 450, owner: 'eve lace' }))

    await registry.run('ada', (session) => {
      expect([session.createdAt, session.timeoutMs, session.owner]).toEqual([createdAt, 450, 'eve lace'])
      session.value.push('again')
    })
    expect(await registry.peek('ada')).toMatchObject({ createdAt, owner: 'eve lace' })
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello","again"]')

    expect(store.stored('ada')).toMatchObject({ createdAt, timeoutMs: 450, owner: 'eve lace' })
    const { lastActiveAt = 0 } = store.stored('ada') ?? {}
    expect(Math.abs(Date.now() - lastActiveAt)).toBeLessThan(20_000)
  })

  it('keeps an own idle timeout that a turn has set, and none that is the default', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    await registry.run('ada', (session) => {
      session.timeoutMs = 200
    })
    await registry.run('bob', say('hello'))
    await expect.poll(() => store.count('put'), soon).toBe(2)

    await expect.poll(() => store.stored('ada')?.timeoutMs, soon).toBe(200)
    await expect.poll(() => store.stored('bob')?.text, soon).toBe('["hello"]')
    expect(store.stored('bob')).not.toHaveProperty('timeoutMs')
  })

  it('keeps the creation time over an archive that failed for good', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { archiveAttempts: 1 })
    registry.on('error', () => {})
    const createdAt = Date.now() - 3_600_000
    store.keep(stored({ createdAt, owner: 'eve' }))
    store.failing.add('put')
    await registry.run('ada', say('again'))
    await expect.poll(() => registry.deadCount(), soon).toBe(1)
    store.failing.clear()

    expect(await registry.open('ada')).toEqual(['hello', 'again'])
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello","again"]')
    expect(store.stored('ada')).toMatchObject({ createdAt, owner: 'eve' })
  })

  it(
    'keeps the creation time of a session that was never stored, over an archive that failed',
    patient,
    async () => {
      const store = new RecordingStore()
      const registry = await make(store, { archiveAttempts: 1 })
      registry.on('error', () => {})
      store.failing.add('put')
      await registry.run('ada', say('hello'))
      const createdAt = (await registry.peek('ada'))?.createdAt
      await expect.poll(() => registry.deadCount(), soon).toBe(1)
      store.failing.clear()
      await registry.open('ada')

      await expect.poll(() => store.stored('ada')?.createdAt, soon).toBe(createdAt)
    },
  )

  it('has a session past `maxAgeMs` no longer: it is deleted and absent', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { maxAgeMs: 60_000 })
    store.keep(stored({ createdAt: Date.now() - 61_000 }))

    expect(await registry.open('ada')).toEqual([])
    expect(store.stored('ada')).toBeUndefined()
  })

  it('ends a session by age at the age that it had in the store, and deletes it', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { maxAgeMs: 60_000, timeoutMs: 30_000 })
    const ended: string[] = []
    registry.on('ended', (session, reason) => ended.push(`${session.id} ${reason}`))
    store.keep(stored({ createdAt: Date.now() - 59_000 }))
    await registry.run('ada', say('again'))

    await expect.poll(() => ended, soon).toEqual(['ada age'])
    expect([store.stored('ada'), store.count('put')]).toEqual([undefined, 0])
  })

  it('has a session no longer that was not active for `keepMs`', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { keepMs: 60_000 })
    store.keep(stored({ lastActiveAt: Date.now() - 61_000 }))
    store.keep(stored({ id: 'bob', lastActiveAt: Date.now() - 50_000 }))

    expect(await registry.open('ada')).toEqual([])
    expect(await registry.open('bob')).toEqual(['hello'])
  })

  it('is overwritten by a session that was set', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    store.keep(stored({ owner: 'eve' }))
    await registry.set('ada', ['new'])

    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["new"]')
    expect(store.stored('ada')).not.toHaveProperty('owner')
    await expire(registry)
    expect(await registry.open('ada')).toEqual(['new'])
  })

  it('is not overwritten by a retry that a younger incarnation has overtaken', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { archiveAttempts: 1 })
    const ended: string[] = []
    registry.on('error', () => {})
    registry.on('ended', (session) => ended.push((session.value as string[]).join()))
    store.failing.add('put')
    await registry.set('ada', ['old'])
    await expect.poll(() => registry.deadCount(), soon).toBe(1)
    store.failing.clear()
    await registry.set('ada', ['new'])
    await expect.poll(() => ended, soon).toEqual(['new'])

    expect(await registry.retryDead('ada')).toBe(1)
    await expect.poll(() => ended, soon).toEqual(['new', 'old'])
    expect([store.stored('ada')?.text, store.count('put')]).toEqual(['["new"]', 2])
  })

  it('is not passed over by a process without a store, nor by one that observes', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const visitors = await make(store, { prefix, intervalMs: Number.POSITIVE_INFINITY })
    await visitors.run('ada', say('hello'))
    const without = await testRegistry<string[]>(redis, { prefix, timeoutMs: 300, create: () => [] })
    const observer = await make(store, { prefix, archives: false })
    const ended: string[] = []
    for (const registry of [without, observer]) registry.on('ended', (session) => ended.push(session.id))
    await expect.poll(() => visitors.has('ada'), soon).toBe(false)

    expect([await without.sweep(), await observer.sweep(), ended]).toEqual([0, 0, []])
    const archiving = await make(store, { prefix })
    expect(await archiving.sweep()).toBe(1)
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
    expect(await observer.open('ada')).toEqual(['hello'])
  })

  it('makes `getOrCreate` of an absent session reject, as `load` does', patient, async () => {
    const registry = await make(new RecordingStore())

    await expect(registry.getOrCreate('ada')).rejects.toMatchObject({ code: 'ERR_SESSION_NEEDS_OPEN' })
  })

  it(
    'is pruned by a process that archives, at most once an hour, by the time of Redis',
    patient,
    async () => {
      const store = new RecordingStore()
      const prefix = uniquePrefix()
      const observer = await make(store, { prefix, keepMs: 60_000, archives: false })
      await observer.has('ada')
      const registry = await make(store, { prefix, keepMs: 60_000, intervalMs: 20 })
      store.keep(stored({ lastActiveAt: Date.now() - 61_000 }))
      store.keep(stored({ id: 'bob', lastActiveAt: Date.now() - 50_000 }))
      await registry.has('ada')

      await expect.poll(() => store.stored('ada'), soon).toBeUndefined()
      expect(store.stored('bob')).toBeDefined()
      await registry.sweep()
      await registry.sweep()
      expect(store.pruned).toHaveLength(1)
      expect(Math.abs(Date.now() - 60_000 - (store.pruned[0] ?? 0))).toBeLessThan(20_000)
    },
  )
})
