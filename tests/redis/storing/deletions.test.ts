import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { storedSession } from '../../support/store-session.ts'

const patient = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => {
  session.value.push(word)
}

describeOnRedis('a deletion of a session in a store behind Redis', (redis) => {
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

  it('reaches the store, whether or not the session is in Redis', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    store.keep(storedSession())
    store.keep(storedSession({ id: 'bob' }))
    await registry.open('ada')

    expect(await registry.delete('ada')).toBe(true)
    expect(await registry.delete('bob')).toBe(false)
    await expect.poll(() => [store.stored('ada'), store.stored('bob')], soon).toEqual([undefined, undefined])
    expect(await registry.open('ada')).toEqual([])
  })

  it('is waited for by `open` and `run` of every process, not by `delete`', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix })
    const other = await make(store, { prefix })
    store.keep(storedSession())
    const gate = store.hold('delete')
    await one.delete('ada')
    const calls = [one.open('ada'), other.open('ada'), other.run('ada', (session) => [...session.value])]
    const opens = calls.map((call) => observe(call))
    await expect.poll(() => store.count('delete'), soon).toBe(1)
    // A call of another id proves that the calls before it were sent.
    await other.open('bob')
    expect(opens.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    expect(store.count('get', 'ada')).toBe(0)
    gate.resolve()

    expect(await Promise.all(calls)).toEqual([[], [], []])
    expect(store.count('delete')).toBe(1)
  })

  it('does not let a session be set for long that it would delete', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { timeoutMs: 300 })
    store.keep(storedSession())
    const gate = store.hold('delete')
    await registry.delete('ada')
    await registry.set('ada', ['new'])
    expect(await registry.open('ada')).toEqual(['new'])
    await expect.poll(() => registry.has('ada'), soon).toBe(false)
    await expect.poll(() => store.count('delete'), soon).toBe(1)
    expect(store.count('put')).toBe(0)
    gate.resolve()

    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["new"]')
    expect(store.calls.map(({ method }) => method)).toEqual(['delete', 'put'])
  })

  it('waits for the write of an archive under way in another process', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    // Too long for the test: the deletion begins when the write has settled.
    const options = { prefix, timeoutMs: 300, leaseMs: 300_000 }
    const archiving = await make(store, options)
    const deleting = await make(store, options)
    const gate = store.hold('put')
    await archiving.run('ada', say('hello'))
    await expect.poll(() => store.count('put'), soon).toBe(1)

    expect(await deleting.delete('ada')).toBe(true)
    const opening = deleting.open('ada')
    const opened = observe(opening)
    await deleting.open('bob')
    expect([opened.state, store.count('delete')]).toEqual(['pending', 0])
    gate.resolve()
    expect(await opening).toEqual([])
    expect(store.stored('ada')).toBeUndefined()
    expect(store.calls.filter(({ id }) => id === 'ada').map(({ method }) => method)).toEqual([
      'get',
      'put',
      'delete',
      'get',
    ])
  })

  it(
    'waits for the write of an archive under way in this process, whose signal aborts',
    patient,
    async () => {
      const store = new RecordingStore()
      const registry = await make(store, { timeoutMs: 300, leaseMs: 300_000 })
      const ended: string[] = []
      registry.on('ended', (session, reason) => ended.push(`${session.id} ${reason}`))
      const gate = store.hold('put')
      await registry.run('ada', say('hello'))
      await expect.poll(() => store.count('put'), soon).toBe(1)
      await registry.delete('ada')
      const opening = registry.open('ada')
      const opened = observe(opening)
      await registry.open('bob')
      expect([opened.state, store.count('delete')]).toEqual(['pending', 0])
      gate.resolve()

      expect(await opening).toEqual([])
      expect([ended[0], store.stored('ada')]).toEqual(['ada deleted', undefined])
    },
  )

  it('is not waited for longer than the lease of a process that hangs in its write', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const options = { prefix, timeoutMs: 300, leaseMs: 500 }
    const hanging = await make(store, { ...options, turnGraceMs: 10, callTimeoutMs: 200 })
    const deleting = await make(store, options)
    const gate = store.hold('put')
    await hanging.run('ada', say('hello'))
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await deleting.delete('ada')
    await hanging.close({ deadlineMs: 0 })

    await expect.poll(() => store.count('delete'), soon).toBe(1)
    gate.resolve()
  })

  it('is tried again until it succeeds, with one `error` after `archiveAttempts`', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store, { archiveAttempts: 2 })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    store.keep(storedSession())
    store.failing.add('delete')
    await registry.delete('ada')
    const opening = registry.open('ada')
    const opened = observe(opening)
    await expect.poll(() => store.count('delete'), soon).toBeGreaterThan(3)
    expect(opened.state).toBe('pending')
    store.failing.clear()

    expect(await opening).toEqual([])
    expect(errors).toEqual([sessionError('ERR_SESSION_STORE_FAILED')])
    expect(errors[0]).toMatchObject({ cause: store.failure })
    expect(await registry.deadCount()).toBe(0)
  })

  it('is finished by another process if its own has closed', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix })
    store.keep(storedSession())
    store.failing.add('delete')
    await one.delete('ada')
    await expect.poll(() => store.count('delete'), soon).toBe(1)
    await one.close({ deadlineMs: 0 })
    store.failing.clear()
    const other = await make(store, { prefix })

    expect(await other.open('ada')).toEqual([])
    expect(store.stored('ada')).toBeUndefined()
  })

  it('drops what a load in another process has read before', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix })
    const other = await make(store, { prefix })
    store.keep(storedSession())
    const read = store.get.bind(store)
    const gate = store.hold('delete')
    let finish = () => {}
    store.get = async (id, context) => {
      const found = await read(id, context)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return found
    }
    const opening = other.open('ada')
    const opened = observe(opening)
    await expect.poll(() => store.count('get'), soon).toBe(1)
    await one.delete('ada')
    store.get = read
    finish()
    await one.open('bob')
    expect(opened.state).toBe('pending')
    gate.resolve()

    expect(await opening).toEqual([])
  })

  it('is made for every session by `clear`, which counts those in Redis', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    for (const id of ['ada', 'bob', 'eve']) store.keep(storedSession({ id }))
    await registry.open('ada')
    await registry.open('bob')

    expect(await registry.clear()).toBe(2)
    await expect.poll(() => [store.stored('ada'), store.stored('bob')], soon).toEqual([undefined, undefined])
    expect(store.stored('eve')).toBeDefined()
  })

  it('leaves no key without a TTL while it waits', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const registry = await make(store, { prefix, archives: false })
    await registry.delete('ada')

    const keys = await keysWith(await administrator(redis), prefix)
    const backlog = keys.find(({ key }) => key.endsWith(':x:ada'))
    expect(backlog?.ttlMs).toBeGreaterThan(6 * 24 * 3_600_000)
    expect(keys.filter(({ ttlMs }) => ttlMs < 0)).toEqual([])
  })

  it('is no session: not counted, not walked, not swept', patient, async () => {
    const store = new RecordingStore()
    const registry = await make(store)
    const gate = store.hold('delete')
    const events: string[] = []
    registry.on('ended', (session) => events.push(session.id))
    registry.on('swept', () => events.push('swept'))
    await registry.delete('ada')
    await expect.poll(() => store.count('delete'), soon).toBe(1)

    const ids: string[] = []
    for await (const id of registry.keys()) ids.push(id)
    expect([ids, await registry.size(), await registry.sweep(), await registry.clear()]).toEqual([
      [],
      0,
      0,
      0,
    ])
    gate.resolve()
    await registry.open('ada')
    expect(events).toEqual([])
  })

  it('is left alone by a process without a store', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix })
    store.keep(storedSession())
    store.failing.add('delete')
    await one.delete('ada')
    await expect.poll(() => store.count('delete'), soon).toBe(1)
    await one.close({ deadlineMs: 0 })
    const archived: string[] = []
    const foreign = await testRegistry<string[]>(redis, {
      prefix,
      timeoutMs: 60_000,
      create: () => [],
      archive: (session) => archived.push(session.id),
    })
    foreign.on('ended', (session) => archived.push(session.id))
    await foreign.sweep()
    expect(await foreign.delete('ada')).toBe(false)
    await foreign.settled()
    expect(archived).toEqual([])
    await foreign.close()
    store.failing.clear()

    const other = await make(store, { prefix })
    expect(await other.forget('ada')).toBe(false)
    expect(store.stored('ada')).toBeUndefined()
  })
})
