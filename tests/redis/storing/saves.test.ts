import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { storedSession } from '../../support/store-session.ts'

const patient = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => {
  session.value.push(word)
}

describeOnRedis('`save` with a store behind Redis', (redis) => {
  const make = (
    store: RecordingStore,
    options: Partial<RegistryOptions<string[]>> = {},
  ): Promise<RedisSessionRegistry<string[]>> =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 60_000,
      create: () => [],
      store,
      ...options,
    })

  it('writes a live session, and returns whether there is one', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    await registry.run('ada', (session) => {
      session.value.push('hello')
      session.timeoutMs = 50_000
    })
    const { createdAt, lastActiveAt } = (await registry.peek('ada')) ?? {}

    expect(await registry.save('ada')).toBe(true)
    expect(store.stored('ada')).toMatchObject({
      text: '["hello"]',
      createdAt,
      lastActiveAt,
      timeoutMs: 50_000,
    })
    expect(await registry.save('bob')).toBe(false)
    expect(store.count('put', 'bob')).toBe(0)
  })

  it('is not activity', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    await registry.run('ada', say('hello'))
    const before = (await registry.peek('ada'))?.lastActiveAt
    await expect.poll(async () => (await registry.peek('ada'))?.idleMs, soon).toBeGreaterThan(1_100)
    await registry.save('ada')

    expect((await registry.peek('ada'))?.lastActiveAt).toBe(before)
  })

  it('makes the write at the end needless, unless the session changes', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { timeoutMs: 400 })
    const ended: string[] = []
    registry.on('ended', (session) => ended.push(session.id))
    for (const id of ['ada', 'bob']) {
      await registry.run(id, say('hello'))
      expect(await registry.save(id)).toBe(true)
    }
    await registry.run('bob', say('again'))
    await expect.poll(() => ended.toSorted(), soon).toEqual(['ada', 'bob'])

    expect([store.count('put', 'ada'), store.count('put', 'bob')]).toEqual([1, 2])
    expect(store.stored('bob')?.text).toBe('["hello","again"]')
  })

  it('waits for a running turn of another process', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix })
    const other = await make(store, { prefix })
    const gate = deferred()
    const begun = deferred()
    const turn = other.run('ada', async (session) => {
      begun.resolve()
      await gate.promise
      session.value.push('hello')
    })
    await begun.promise
    const saving = one.save('ada')
    const saved = observe(saving)
    await one.get('ada')
    await one.get('ada')
    expect([saved.state, store.count('put')]).toEqual(['pending', 0])
    gate.resolve()
    await turn

    expect(await saving).toBe(true)
    expect(store.stored('ada')?.text).toBe('["hello"]')
  })

  it('rejects after `maxTurnMs` if a turn runs for longer', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix, maxTurnMs: 100 })
    const other = await make(store, { prefix })
    const gate = deferred()
    const begun = deferred()
    const turn = other.run('ada', () => {
      begun.resolve()
      return gate.promise
    })
    await begun.promise

    await expect(one.save('ada')).rejects.toEqual(sessionError('ERR_SESSION_BUSY'))
    gate.resolve()
    await turn
  })

  it('writes at once inside a turn, and the end again if the turn fails', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { timeoutMs: 400 })
    store.keep(storedSession({ createdAt: Date.now(), lastActiveAt: Date.now() }))
    const failed = registry.run('ada', async (session) => {
      session.value.push('half')
      expect(await registry.save('ada')).toBe(true)
      expect(store.stored('ada')?.text).toBe('["hello","half"]')
      throw new Error('the model is away')
    })

    await expect(failed).rejects.toThrow('the model is away')
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
  })

  it(
    'is written over at the end after a save in a turn that failed, although it may have had its effect',
    patient,
    async () => {
      const store = new RecordingStore()
      const registry = await make(store, { timeoutMs: 4_000 })
      store.keep(storedSession({ createdAt: Date.now(), lastActiveAt: Date.now() }))
      const put = store.put.bind(store)
      store.put = async (session, context) => {
        await put(session, context)
        throw store.failure
      }
      const failed = registry.run('ada', async (session) => {
        session.value.push('half')
        await registry.save('ada')
      })
      await expect(failed).rejects.toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
      expect(store.stored('ada')?.text).toBe('["hello","half"]')
      store.put = put

      await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
    },
  )

  it('rejects after three tries, and the session lives on and is written at its end', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { timeoutMs: 4_000 })
    await registry.run('ada', say('hello'))
    store.failing.add('put')

    const error = await failureOf(() => registry.save('ada'))
    expect(error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(error).toMatchObject({ cause: store.failure })
    expect([store.count('put'), await registry.get('ada')]).toEqual([3, ['hello']])
    store.failing.clear()
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
  })

  it('rejects without a store, after `close`, and in a hook of the id', patient, async () => {
    const without = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    await expect(without.save('ada')).rejects.toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    const store = new RecordingStore()
    const registry = await make(store)
    await expect(registry.save('')).rejects.toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    let inHook: Promise<unknown> = Promise.resolve()
    const get = store.get.bind(store)
    store.get = (id, context) => {
      inHook = failureOf(() => registry.save(id))
      return get(id, context)
    }
    await registry.open('ada')
    expect(await inHook).toEqual(sessionError('ERR_SESSION_REENTRANT'))
    await registry.close()
    await expect(registry.save('ada')).rejects.toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    await expect(registry.forget('ada')).rejects.toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })

  it('is waited for by `close`, until its deadline', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { turnGraceMs: 50, callTimeoutMs: 5_000 })
    await registry.run('ada', say('hello'))
    store.hold('put')
    const saving = observe(registry.save('ada'))
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await registry.close({ deadlineMs: 50 })

    expect(store.closed).toBe(1)
    store.gates.get('put')?.resolve()
    await saving.settled
    expect(saving.error).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })
})
