import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { RecordingStore } from '../../support/recording-store.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { storedSession } from '../../support/store-session.ts'

const patient = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => {
  session.value.push(word)
}

describeOnRedis('`forget` with a store behind Redis', (redis) => {
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

  it('has deleted the session when it resolves, dead letters included', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const registry = await make(store, { prefix, archiveAttempts: 1, timeoutMs: 300 })
    registry.on('error', () => {})
    store.keep(storedSession())
    store.failing.add('put')
    await registry.run('ada', say('again'))
    await expect.poll(() => registry.deadCount(), soon).toBe(1)
    store.failing.clear()

    expect(await registry.forget('ada')).toBe(true)
    expect([store.stored('ada'), await registry.deadCount()]).toEqual([undefined, 0])
    const admin = await administrator(redis)
    const named = async () => (await keysWith(admin, prefix)).filter(({ key }) => key.endsWith(':ada'))
    expect(await named()).toEqual([])
    expect(await registry.forget('ada')).toBe(false)
    expect(store.count('delete', 'ada')).toBe(2)
  })

  it('waits, in a process that only observes, for one that archives', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const archiving = await make(store, { prefix })
    const observer = await make(store, { prefix, archives: false })
    await archiving.run('ada', say('hello'))
    store.keep(storedSession())

    expect(await observer.forget('ada')).toBe(true)
    expect(store.stored('ada')).toBeUndefined()
  })

  it('rejects after `archiveAttempts`, and the deletion goes on', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { archiveAttempts: 3 })
    registry.on('error', () => {})
    store.keep(storedSession())
    store.failing.add('delete')

    const error = await failureOf(() => registry.forget('ada'))
    expect(error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(error).toMatchObject({ cause: store.failure })
    expect(store.count('delete')).toBeGreaterThanOrEqual(3)
    store.failing.clear()
    expect(await registry.open('ada')).toEqual([])
    expect(store.stored('ada')).toBeUndefined()
  })

  it('is `delete` that reaches dead letters where there is no store', patient, async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    await registry.run('ada', say('hello'))

    expect(await registry.forget('ada')).toBe(true)
    expect([await registry.forget('ada'), await registry.has('ada')]).toEqual([false, false])
  })
})
