import { promisify } from 'node:util'
import { registryStore } from 'session-registry/express-session'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { FaultStore } from '../support/fault-store.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { clockedStore, type Data, inMs, makeStore, minute } from './promised-store.ts'

type Stored = ReturnType<typeof clockedStore>

const data: Data = { cookie: {}, user: 'ada' }

describe('a write of a session that was destroyed', () => {
  it('with `tombstoneMs`: creates nothing, however many write at once', async () => {
    const { set, touch, get, destroy, sessions, events } = clockedStore({ tombstoneMs: minute })
    await set('a', data)
    await destroy('a')
    await Promise.all([set('a', data), set('a', data), touch('a', data), set('b', data)])

    expect([...sessions.keys()]).toEqual(['b'])
    expect(await get('a')).toBeNull()
    expect(events.lines).toEqual(['created a', 'ended a deleted', 'created b'])
  })

  it('with `tombstoneMs`: creates nothing after a deletion by the application', async () => {
    const { set, sessions } = clockedStore({ tombstoneMs: minute })
    await set('a', data)
    sessions.delete('a')
    await set('a', data)

    expect(sessions.size).toBe(0)
  })

  it('with `tombstoneMs`: creates nothing when it has waited for the turn that destroyed the session', async () => {
    const { set, destroy, sessions } = clockedStore({ tombstoneMs: minute })
    await set('a', data)
    const [begun, finished] = [deferred(), deferred()]
    const turn = sessions.run('a', async () => {
      begun.resolve()
      await finished.promise
      await destroy('a')
    })
    await begun.promise
    const writing = set('a', data)
    finished.resolve()
    await turn
    await writing

    expect(sessions.size).toBe(0)
  })

  it('with `tombstoneMs`: creates nothing while the value is disposed of', async () => {
    const disposed = deferred()
    const { set, destroy, sessions } = clockedStore({ tombstoneMs: minute, dispose: () => disposed.promise })
    await set('a', data)
    await destroy('a')
    const writing = set('a', data)
    disposed.resolve()
    await writing

    expect(sessions.size).toBe(0)
  })

  it('with `tombstoneMs`: creates a session once the tombstone has lapsed', async () => {
    const { set, destroy, sessions, clock } = clockedStore({ tombstoneMs: minute })
    await set('a', data)
    await destroy('a')
    clock.tick(minute)
    await set('a', data)

    expect(sessions.peek('a')?.value).toEqual(data)
  })

  it('with `tombstoneMs`: creates a session after one that has expired', async () => {
    const { set, sessions, clock, events } = clockedStore({ tombstoneMs: minute })
    await set('a', { ...data, cookie: { expires: inMs(1_000) } })
    clock.tick(1_000)
    sessions.sweep()
    await set('a', data)

    expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it.each([
    ['evicted', async ({ set }: Stored) => set('b', data)],
    ['expired', async ({ clock }: Stored) => void clock.tick(minute)],
  ])('with `tombstoneMs`: creates nothing if it had %s before', async (_how, end) => {
    const stored = clockedStore({ tombstoneMs: 5 * minute, maxSessions: 1, timeoutMs: minute })
    const { set, get, destroy, clock } = stored
    await set('a', data)
    await end(stored)
    await destroy('a')
    await set('a', data)
    expect(await get('a')).toBeNull()
    clock.tick(5 * minute)
    await set('a', data)
    expect(await get('a')).toEqual(data)
  })

  it('with `tombstoneMs`: is known for so long on the clock of the registry', async () => {
    const clock = new ManualClock()
    const { set, get, destroy } = makeStore({ tombstoneMs: minute, maxSessions: 1, clock })
    await set('a', data)
    await set('b', data)
    await destroy('a')
    clock.advance(minute - 1)
    await set('a', data)
    expect(await get('a')).toBeNull()
    clock.advance(1)
    await set('a', data)

    expect(await get('a')).toEqual(data)
  })

  it('with `tombstoneMs`: costs no other session its place', async () => {
    const { set, destroy, events } = makeStore({ tombstoneMs: minute, maxSessions: 1 })
    await set('a', data)
    await set('b', data)
    await destroy('a')
    await set('a', data)

    expect(events.lines).toEqual(['created a', 'ended a capacity', 'created b'])
  })

  it('with `tombstoneMs`: the last 10 000 are known beside what the registry knows', async () => {
    const { set, get, destroy } = makeStore({ tombstoneMs: minute, maxSessions: 1 })
    await set('a', data)
    await set('b', data)
    await destroy('a')
    const destroyMany = async (from: number, to: number) => {
      for (let number = from; number < to; number += 1) await destroy(`c${number}`)
    }
    await destroyMany(1, 10_000)
    await set('a', data)
    expect(await get('a')).toBeNull()
    await destroyMany(10_000, 10_001)
    await set('a', data)

    expect(await get('a')).toEqual(data)
  })

  it('with `tombstoneMs`: creates nothing in another store of the registry', async () => {
    const { set, destroy, sessions } = makeStore({ tombstoneMs: minute, maxSessions: 1 })
    await set('a', data)
    await set('b', data)
    await destroy('a')
    const other = registryStore(sessions)
    await promisify<void>((done) => other.set('a', data, done))()

    expect([...sessions.keys()]).toEqual(['b'])
  })

  it('with `tombstoneMs`: creates nothing of one that was in the store alone', async () => {
    const store = new MemoryStore()
    const before = makeStore({ store })
    await before.set('a', data)
    await before.sessions.close()
    const { set, get, destroy } = makeStore({ store, tombstoneMs: minute })
    await Promise.all([get('a'), destroy('a'), set('a', data)])
    await set('a', data)

    expect([await get('a'), store.session('a')]).toEqual([null, undefined])
  })

  it('with `tombstoneMs`: creates nothing of one that was destroyed while it was read', async () => {
    const store = new MemoryStore()
    await makeStore({ store }).set('a', data)
    const { set, get, destroy } = makeStore({ store, tombstoneMs: minute })
    const reading = get('a')
    await Promise.all([destroy('a'), reading])
    await set('a', data)

    expect([await get('a'), store.session('a')]).toEqual([null, undefined])
  })

  it('with `tombstoneMs`: creates nothing of one that has reached `maxAgeMs`', async () => {
    const { set, get, clock, sessions } = clockedStore({ tombstoneMs: minute, maxAgeMs: 1_000 })
    await set('a', data)
    clock.tick(1_000)
    expect(await get('a')).toBeNull()
    await set('a', data)

    expect(sessions.size).toBe(0)
  })

  it('in a store, with `tombstoneMs`: does not fail if the session is destroyed meanwhile', async () => {
    const store = new FaultStore()
    const { set, touch, destroy, sessions } = makeStore({ store, tombstoneMs: minute })
    for (const [id, write] of Object.entries({ set, touch })) {
      await set(id, data)
      const saved = store.gateNext('put')
      const writing = write(id, { ...data, cookie: { path: '/' } })
      await saved.begun
      const destroyed = destroy(id)
      saved.end.resolve()
      await Promise.all([writing, destroyed])
    }

    expect([sessions.size, store.size]).toEqual([0, 0])
  })

  it('in a store, without tombstones: fails if the session is destroyed meanwhile', async () => {
    const store = new FaultStore()
    const { set, destroy } = makeStore({ store })
    const saved = store.gateNext('put')
    const writing = failureOf(() => set('a', data))
    await saved.begun
    const destroyed = destroy('a')
    saved.end.resolve()
    await destroyed

    expect(await writing).toEqual(sessionError('ERR_SESSION_ENDED'))
  })

  it('without tombstones: creates a session', async () => {
    const { set, destroy, events } = clockedStore()
    await set('a', data)
    await destroy('a')
    await set('a', data)

    expect(events.lines).toEqual(['created a', 'ended a deleted', 'created a'])
  })
})
