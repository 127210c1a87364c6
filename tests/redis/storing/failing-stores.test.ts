import type { SessionStore, StoredSession } from 'session-registry'
import { isSessionRegistryError } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
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

describeOnRedis('a store behind Redis that fails', (redis) => {
  const make = (
    store: SessionStore,
    options: Partial<RegistryOptions<string[]>> = {},
  ): Promise<RedisSessionRegistry<string[]>> =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      create: () => [],
      store,
      ...options,
    })

  const errorsOf = (registry: RedisSessionRegistry<string[]>) => {
    const errors: Error[] = []
    registry.on('error', (error) => errors.push(error as Error))
    return errors
  }

  it('rejects `open` and `run` if it cannot be read, and nothing is created', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    store.keep(storedSession())
    store.failing.add('get')

    const error = await failureOf(() => registry.open('ada'))
    expect(error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(error).toMatchObject({ cause: store.failure, statusCode: 503 })
    await expect(registry.run('ada', say('new'))).rejects.toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(await registry.has('ada')).toBe(false)
    store.failing.clear()
    expect(await registry.open('ada')).toEqual(['hello'])
  })

  it('is no miss if `get` gives null, another session or half of one', patient, async () => {
    const store = new RecordingStore()
    const wrong: unknown[] = [null, { ...storedSession(), id: 'bob' }, { id: 'ada', text: '[]' }, false]
    const registry = await make(Object.assign(store, { get: async () => wrong.shift() }))

    for (let left = wrong.length; left > 0; left -= 1)
      await expect(registry.open('ada')).rejects.toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(await registry.has('ada')).toBe(false)
  })

  it(
    'rejects `open` with the code of a value that cannot be decoded, and nothing is created',
    patient,
    async () => {
      const store = new RecordingStore()
      const registry = await make(store)
      store.keep(storedSession({ text: '["hel' }))
      store.keep(storedSession({ id: 'bob', text: '"\ud800"' }))

      for (const id of ['ada', 'bob']) {
        await expect(registry.open(id)).rejects.toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
        expect(await registry.has(id)).toBe(false)
      }
    },
  )

  it('rejects `open` after `loadTimeoutMs` if it does not answer', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { loadTimeoutMs: 50 })
    const gate = store.hold('get')

    await expect(registry.open('ada')).rejects.toEqual(sessionError('ERR_SESSION_LOAD_TIMEOUT'))
    gate.resolve()
  })

  it('is tried again with the next attempt, and then has the session', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    store.failing.add('put')
    await registry.run('ada', say('hello'))
    await expect.poll(() => store.count('put'), soon).toBe(1)
    store.failing.clear()

    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
    expect((await registry.stats()).archiveFailures).toBe(1)
  })

  it.each([
    ['no boolean', undefined],
    ['`false`', false],
  ])(
    'has not written where `put` gives %s: the session becomes a dead letter',
    patient,
    async (_, result) => {
      const store = new RecordingStore()
      const registry = await make(Object.assign(store, { put: async () => result }) as SessionStore, {
        archiveAttempts: 1,
      })
      const errors = errorsOf(registry)
      await registry.run('ada', say('hello'))

      await expect.poll(() => registry.deadCount(), soon).toBe(1)
      await expect.poll(() => errors, soon).toHaveLength(1)
      expect(errors[0]).toEqual(sessionError('ERR_SESSION_ARCHIVE_FAILED'))
      expect(errors[0]?.cause).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    },
  )

  it('loses nothing: a dead letter is live again at the next `open`', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { archiveAttempts: 2 })
    errorsOf(registry)
    store.failing.add('put')
    await registry.run('ada', say('hello'))
    await expect.poll(() => registry.deadCount(), soon).toBe(1)
    expect(store.count('put')).toBe(2)

    expect(await registry.open('ada')).toEqual(['hello'])
    expect(store.count('get')).toBe(1)
    store.failing.clear()
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
  })

  it('is an `error` if it cannot be pruned', patient, async () => {
    const store = new RecordingStore()
    store.prune = async () => {
      throw store.failure
    }
    const registry = await make(store, { keepMs: 60_000 })
    const errors = errorsOf(registry)
    await registry.has('ada')

    await expect.poll(() => errors, soon).toHaveLength(1)
    expect(errors[0]).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(errors[0]?.cause).toBe(store.failure)
  })

  it('is closed by `close` after the last write', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    const gate = store.hold('put')
    await registry.run('ada', say('hello'))
    await expect.poll(() => store.count('put'), soon).toBe(1)
    const closing = registry.close({ deadlineMs: 20_000 })
    await registry.peek('ada')
    expect(store.closed).toBe(0)
    gate.resolve()

    expect((await closing).archived).toBe(1)
    expect([store.closed, store.stored('ada')?.text]).toEqual([1, '["hello"]'])
    await registry.close()
    expect(store.closed).toBe(1)
  })

  it.each(['rejects', 'does not settle'])(
    'is an `error` if its close %s, and the registry closes',
    patient,
    async (how) => {
      const store = new RecordingStore()
      store.close = () => (how === 'rejects' ? Promise.reject(store.failure) : new Promise(() => {}))
      const registry = await make(store, { turnGraceMs: 50, callTimeoutMs: 50 })
      const errors = errorsOf(registry)
      await registry.has('ada')

      await registry.close({ deadlineMs: 50 })
      expect(registry.state).toBe('closed')
      expect(errors.map((error) => isSessionRegistryError(error, 'ERR_SESSION_STORE_FAILED'))).toEqual([true])
    },
  )

  it('is not named in an `error` by what it stores', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    store.keep({ ...storedSession(), revision: 7 } as unknown as StoredSession)

    const error = (await failureOf(() => registry.open('ada'))) as Error
    const { message } = error.cause as Error
    expect(message).toContain('revision')
    expect(`${error.message}${message}`).not.toContain('ada')
  })
})
