import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { clockedStore, inMs, makeStore, minute } from './promised-store.ts'

describe('cookie.expires', () => {
  it.each([
    ['a date', (at: number) => new Date(at)],
    ['its text', (at: number) => new Date(at).toISOString()],
    ['epoch milliseconds', (at: number) => at],
  ])('%s: the session is there one millisecond before, and a miss exactly at it', async (_what, expires) => {
    const { clock, get, set, sessions, events } = clockedStore({ timeoutMs: 1_000 })
    await set('a', { cookie: { expires: expires(Date.now() + minute) } })
    clock.tick(minute - 1)
    expect(await get('a')).toMatchObject({ cookie: {} })
    clock.tick(1)
    expect(await get('a')).toBeNull()
    expect(sessions.size).toBe(0)
    expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle'])
  })

  it.each([
    ['none', undefined],
    ['null', null],
    ['false', false],
    ['no date', 'secret'],
    ['an invalid date', new Date(Number.NaN)],
  ])('%s: the registry’s timeout', async (_what, expires) => {
    const { clock, get, set } = clockedStore({ timeoutMs: minute })
    await set('a', { cookie: { expires } })
    clock.tick(minute - 1)
    expect(await get('a')).not.toBeNull()
    clock.tick(minute)
    expect(await get('a')).toBeNull()
  })

  it('reading does not prolong the session', async () => {
    const { clock, get, set, sessions } = clockedStore()
    await set('a', { cookie: { expires: inMs(minute) } })
    for (let read = 0; read < 6; read += 1) {
      expect(await get('a')).not.toBeNull()
      clock.tick(minute / 6)
    }
    expect(sessions.has('a')).toBe(false)
  })

  it('on the registry’s clock alone: reading does not prolong the session', async () => {
    const clock = new ManualClock()
    const { get, set, sessions } = makeStore({ clock })
    await set('a', { cookie: { expires: inMs(minute) } })
    clock.advance(minute / 2)
    expect(await get('a')).not.toBeNull()
    clock.advance(minute / 2)
    expect(await get('a')).toBeNull()
    clock.advance(1)
    expect(sessions.has('a')).toBe(false)
  })

  it('on the wall clock alone: past it a miss, and the session ends', async () => {
    const wall = installFakeGlobals()
    const clock = new ManualClock()
    const { get, set, sessions } = makeStore({ clock })
    await set('a', { cookie: { expires: inMs(minute) } })
    wall.tick(minute)
    expect(await get('a')).toBeNull()
    clock.advance(1)
    expect(sessions.has('a')).toBe(false)
  })

  it('a wall clock that is set back does not prolong the session', async () => {
    const { clock, get, set } = clockedStore()
    await set('a', { cookie: { expires: inMs(minute) } })
    clock.tick(minute / 2)
    clock.setSystemTime(Date.now() - 60 * minute)
    expect(await get('a')).not.toBeNull()
    clock.tick(minute / 2)
    expect(await get('a')).toBeNull()
  })

  it('that is taken away: the registry’s timeout again', async () => {
    const { clock, get, set, sessions } = clockedStore({ timeoutMs: minute })
    await set('a', { cookie: { expires: inMs(5 * minute) } })
    await set('a', { cookie: { expires: null } })
    expect(sessions.peek('a')?.timeoutMs).toBe(minute)
    clock.tick(minute)
    expect(await get('a')).toBeNull()
  })

  it('none: a timeout that the application assigned stays', async () => {
    const { get, set, touch, sessions } = makeStore()
    await set('a', { cookie: {} })
    Object.assign(sessions.peek('a') ?? {}, { timeoutMs: 5_000 })
    await set('a', { cookie: {} })
    await touch('a', { cookie: {} })
    await get('a')

    expect(sessions.peek('a')?.timeoutMs).toBe(5_000)
  })

  it('in the past: a write ends the session, and creates none', async () => {
    const { set, sessions, events } = makeStore()
    await set('a', { cookie: { expires: inMs(-1) } })
    expect(events.lines).toEqual([])
    await set('a', { cookie: {} })
    await set('a', { cookie: { expires: inMs(-1) } })

    expect(events.lines).toEqual(['created a', 'ended a deleted'])
    expect(sessions.size).toBe(0)
  })

  it('survives a restart in a store', async () => {
    const clock = installFakeGlobals()
    const stored = new MemoryStore()
    await makeStore({ store: stored }).set('a', { cookie: { expires: inMs(minute) }, views: 1 })
    clock.tick(minute - 1)
    expect(await makeStore({ store: stored }).get('a')).toMatchObject({ views: 1 })
    clock.tick(1)
    expect(await makeStore({ store: stored }).get('a')).toBeNull()
  })

  it('none, in a store: `keepMs` from the last request', async () => {
    const { clock, get, set } = clockedStore({
      store: new MemoryStore(),
      timeoutMs: minute,
      keepMs: 2 * minute,
    })
    await set('a', { cookie: {} })
    clock.tick(2 * minute - 1)
    expect(await get('a')).not.toBeNull()
    clock.tick(2 * minute)
    expect(await get('a')).toBeNull()
  })

  it('none, in a store, with a listener that deletes what expires: the registry’s timeout', async () => {
    const store = new MemoryStore()
    const { clock, get, set, sessions } = clockedStore({ store, timeoutMs: minute })
    sessions.on('expired', ({ id }) => sessions.delete(id))
    await set('a', { cookie: {} })
    clock.tick(minute - 1)
    expect(await get('a')).not.toBeNull()
    clock.tick(minute)
    expect(await get('a')).toBeNull()
    expect(store.session('a')).toBeUndefined()
  })

  it('in a store: a read writes only if the time that is left has changed by more than a 64th', async () => {
    const clock = installFakeGlobals()
    const stored = new MemoryStore()
    const { get, set, sessions } = makeStore({ store: stored })
    await set('a', { cookie: { expires: inMs(65_000) } })
    let writes = 0
    const put = stored.put.bind(stored)
    stored.put = (...given) => {
      writes += 1
      return put(...given)
    }
    clock.tick(1_000)
    await get('a')
    expect([writes, sessions.peek('a')?.timeoutMs]).toEqual([0, 65_000])
    clock.tick(1)
    await get('a')
    expect([writes, sessions.peek('a')?.timeoutMs]).toEqual([1, 63_999])
  })

  it('of a session that `load` brought back: what is left of it', async () => {
    const { clock, get, sessions } = clockedStore({
      timeoutMs: 1_000,
      load: (id) => (id === 'a' ? { cookie: { expires: inMs(minute).toISOString() } } : undefined),
    })
    expect(await get('a')).not.toBeNull()
    expect(sessions.peek('a')?.timeoutMs).toBe(minute)
    clock.tick(minute)
    expect(sessions.has('a')).toBe(false)
  })
})

describe('touch', () => {
  it('takes over the new expiry, and nothing else', async () => {
    const { clock, get, set, touch } = clockedStore()
    await set('a', { cookie: { expires: inMs(minute) }, views: 1 })
    clock.tick(minute - 1)
    await touch('a', { cookie: { expires: inMs(minute) }, views: 99 })
    clock.tick(minute - 1)
    expect(await get('a')).toMatchObject({ views: 1 })
    clock.tick(1)
    expect(await get('a')).toBeNull()
  })

  it('counts as activity', async () => {
    const { clock, set, touch, sessions } = clockedStore({ timeoutMs: minute })
    await set('a', { cookie: {} })
    clock.tick(minute - 1)
    await touch('a', { cookie: {} })
    clock.tick(minute - 1)
    expect(sessions.has('a')).toBe(true)
  })

  it('creates nothing, and brings nothing back', async () => {
    const { clock, get, set, touch, sessions } = clockedStore()
    await touch('a', { cookie: { expires: inMs(minute) } })
    expect(sessions.size).toBe(0)
    await set('a', { cookie: { expires: inMs(minute) } })
    clock.tick(minute)
    await touch('a', { cookie: { expires: inMs(minute) } })
    expect(await get('a')).toBeNull()
  })

  it('past the expiry by the wall clock: brings nothing back', async () => {
    const wall = installFakeGlobals()
    const { get, set, touch } = makeStore({ clock: new ManualClock() })
    await set('a', { cookie: { expires: inMs(minute) } })
    wall.tick(minute)
    await touch('a', { cookie: { expires: inMs(minute) } })

    expect(await get('a')).toBeNull()
  })
})
