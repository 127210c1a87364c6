import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { clockedStore, inMs, minute } from './promised-store.ts'

const data = { cookie: {}, user: 'ada' }

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

  it('without tombstones: creates a session', async () => {
    const { set, destroy, events } = clockedStore()
    await set('a', data)
    await destroy('a')
    await set('a', data)

    expect(events.lines).toEqual(['created a', 'ended a deleted', 'created a'])
  })
})
