import session, { type SessionData } from 'express-session'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { registryStore } from 'session-registry/express-session'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { recordCalls, startExpress } from './web-apps.ts'

const minute = 60_000

async function start(
  cookie: session.CookieOptions = {},
  {
    options = {},
    ...more
  }: Partial<session.SessionOptions> & {
    options?: SessionRegistryOptions<SessionData>
  } = {},
) {
  const clock = installFakeGlobals()
  const sessions = new SessionRegistry<SessionData>(options)
  const events = new EventRecorder<SessionData>(sessions)
  const store = registryStore(sessions)
  const calls = recordCalls(store)
  const [begun, finished] = [deferred(), deferred()]
  const pause = () => {
    begun.resolve()
    return finished.promise
  }
  const open = await startExpress(store, { cookie, ...more }, pause)
  return { clock, sessions, events, store, calls, begun, finished, open, visit: open() }
}

describe('express-session on a registry', () => {
  it('calls: none for a new visitor of whom nothing is stored', async () => {
    const { visit, calls, sessions } = await start()

    expect(await visit('/look')).toEqual({ status: 200, text: '0' })
    expect(calls).toEqual([])
    expect(sessions.size).toBe(0)
  })

  it('first write: creates the session', async () => {
    const { visit, calls, events, sessions } = await start()

    expect((await visit('/count')).text).toBe('1')
    expect(calls).toEqual(['set'])
    expect(events.lines).toEqual([`created ${[...sessions.keys()][0]}`])
  })

  it.each([
    ['/look', ['get', 'touch'], '1'],
    ['/count', ['get', 'set'], '2'],
    ['/save', ['get', 'set', 'touch'], '2'],
    ['/reload', ['get', 'get', 'touch'], '1'],
    ['/regenerate', ['get', 'destroy', 'set'], '1'],
    ['/destroy', ['get', 'destroy'], '0'],
  ])('returning visitor: %s', async (path, expected, text) => {
    const { visit, calls } = await start()
    await visit('/count')
    calls.length = 0

    expect(await visit(path)).toEqual({ status: 200, text })
    expect(calls).toEqual(expected)
  })

  it('regenerate: ends the old session, and the new one has another id', async () => {
    const { visit, events, sessions } = await start()
    await visit('/count')
    await visit('/count')
    const [old] = [...sessions.keys()]
    await visit('/regenerate')
    const [id] = [...sessions.keys()]

    expect(id).not.toBe(old)
    expect(events.lines.slice(1)).toEqual([`ended ${old} deleted`, `created ${id}`])
    expect((await visit('/look')).text).toBe('1')
  })

  it('destroy: ends the session, whose cookie then finds none', async () => {
    const { visit, sessions, calls } = await start()
    await visit('/count')
    const { cookie } = visit
    await visit('/destroy')
    expect(sessions.size).toBe(0)
    expect(sessions.stats().deleted).toBe(1)

    calls.length = 0
    expect((await visit('/count')).text).toBe('1')
    expect(calls).toEqual(['get', 'set'])
    expect(visit.cookie).not.toBe(cookie)
  })

  it('restored session: has the methods and the cookie that express-session gives it', async () => {
    const { store, sessions, visit } = await start({ maxAge: minute, sameSite: 'lax', httpOnly: false })
    await visit('/count')
    const [id = ''] = [...sessions.keys()]
    const stock = new session.MemoryStore()
    const data = structuredClone(sessions.get(id)) as SessionData
    const read = { ...data, cookie: { ...data.cookie } }
    const ours = store.createSession<session.Session & { views: number }>({ sessionID: id } as never, read)
    const theirs = stock.createSession({ sessionID: id } as never, { ...data, cookie: { ...data.cookie } })

    expect(ours).toBeInstanceOf(theirs.constructor)
    expect(Object.getPrototypeOf(ours.cookie)).toBe(session.Cookie.prototype)
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
    expect(ours.cookie.expires).toEqual(new Date(Date.now() + minute))
    expect(ours.cookie.originalMaxAge).toBe(minute)
    expect(ours.cookie.maxAge).toBe(minute)
    expect([ours.id, ours.views]).toEqual([id, 1])
  })

  it.each([
    ['nothing', {}],
    ['an expiry of its own', { expires: '2030-01-01T00:00:00.000Z', originalMaxAge: 5 }],
    ['other fields', { path: '/app', secure: true, data: 'ignored', priority: 'high' }],
  ])('restored cookie of %s: is that of express-session', async (_what, cookie) => {
    const { store } = await start({ path: '/other', httpOnly: false })
    const restore = (by: Pick<session.Store, 'createSession'>) =>
      by.createSession({} as never, { cookie: { ...cookie } } as never).cookie

    expect(JSON.stringify(restore(store))).toBe(JSON.stringify(restore(new session.MemoryStore())))
  })

  it('restored value without a cookie: has that of a new session', async () => {
    const { visit, sessions } = await start({ sameSite: 'lax', secure: false })
    await visit('/count')
    const [id = ''] = [...sessions.keys()]
    sessions.set(id, { views: 5 } as never)

    expect((await visit('/count')).text).toBe('6')
    expect(sessions.get(id)?.cookie).toMatchObject({ sameSite: 'lax', httpOnly: true })
  })

  it('value of a session: is JSON, with the expiry of its cookie as a string', async () => {
    const { visit, sessions } = await start({ maxAge: minute })
    await visit('/count')
    const [value] = [...sessions.values()]

    expect(value).toMatchObject({ cookie: { expires: new Date(Date.now() + minute).toISOString() } })
    expect(value).not.toHaveProperty('save')
  })

  it('cookie without an expiry: the session lives for `timeoutMs` from its last request', async () => {
    const { visit, clock } = await start({}, { options: { timeoutMs: minute } })
    await visit('/count')
    clock.tick(minute - 1)
    expect((await visit('/look')).text).toBe('1')
    clock.tick(minute - 1)
    expect((await visit('/look')).text).toBe('1')
    clock.tick(minute)
    expect((await visit('/look')).text).toBe('0')
  })

  it('rolling expiry: each request prolongs the session, one that only reads too', async () => {
    const { visit, clock, events, sessions } = await start({ maxAge: minute }, { rolling: true })
    await visit('/count')
    const [id] = [...sessions.keys()]
    for (let request = 0; request < 3; request += 1) {
      clock.tick(minute - 1)
      expect((await visit('/look')).text).toBe('1')
    }
    clock.tick(minute)
    expect((await visit('/look')).text).toBe('0')
    expect(events.lines).toEqual([`created ${id}`, `expired ${id} idle`, `ended ${id} idle`])
  })

  it('longer than `timeoutMs`: the cookie decides', async () => {
    const { visit, clock } = await start({ maxAge: 60 * minute })
    await visit('/count')
    clock.tick(59 * minute)
    expect((await visit('/look')).text).toBe('1')
  })

  it('an expiry of one session: does not concern the others', async () => {
    const { open, clock } = await start({ maxAge: minute })
    const [ada, bob] = [open(), open()]
    await ada('/short')
    await bob('/count')
    clock.tick(1_000)

    expect((await ada('/look')).text).toBe('0')
    expect((await bob('/look')).text).toBe('1')
  })

  it('a request that outlasts its session: writes a new one of the same id', async () => {
    const { visit, clock, events, sessions, begun, finished } = await start(
      {},
      { options: { timeoutMs: minute } },
    )
    await visit('/count')
    const [id] = [...sessions.keys()]
    const answered = visit('/slow')
    await begun.promise
    clock.tick(minute)
    finished.resolve()
    await answered

    expect(events.lines).toEqual([`created ${id}`, `expired ${id} idle`, `ended ${id} idle`, `created ${id}`])
    expect((await visit('/look')).text).toBe('2')
  })

  it.each([
    ['undone without tombstones', 0, 1, '2'],
    ['not undone with `tombstoneMs`', minute, 0, '0'],
  ])('a log-out during a request: %s', async (_what, tombstoneMs, size, views) => {
    const { visit, sessions, begun, finished } = await start({}, { options: { tombstoneMs } })
    await visit('/count')
    const slow = visit('/slow')
    await begun.promise
    expect((await visit('/destroy')).status).toBe(200)
    finished.resolve()

    expect(await slow).toEqual({ status: 200, text: '2' })
    expect(sessions.size).toBe(size)
    expect((await visit('/look')).text).toBe(views)
  })

  it('overlapping requests: the last to end wins', async () => {
    const { visit, begun, finished } = await start()
    await visit('/count')
    const slow = visit('/slow')
    await begun.promise
    expect((await visit('/count')).text).toBe('2')
    finished.resolve()
    await slow

    expect((await visit('/look')).text).toBe('2')
  })

  it.each([
    ['a `load` that lacks a file', Object.assign(new Error('no such file'), { code: 'ENOENT' }), 503],
    ['a `load` that fails', new Error('database is down'), 500],
  ])('error of a read: is an error of the request, never a new visitor: %s', async (_what, cause, status) => {
    let failure: Error | undefined
    const load = async () => {
      if (failure !== undefined) throw failure
      return undefined
    }
    const { visit, sessions } = await start({}, { options: { load } })
    await visit('/count')
    sessions.clear()
    failure = cause
    const { cookie } = visit

    expect((await visit('/count')).status).toBe(status)
    expect(visit.cookie).toBe(cookie)
    expect(sessions.size).toBe(0)
  })

  it('closed registry: 503', async () => {
    const { visit, sessions } = await start()
    await visit('/count')
    await sessions.close()

    expect(await visit('/look')).toEqual({ status: 503, text: 'ERR_SESSION_REGISTRY_CLOSED' })
  })

  it('genid: is called once for each new session, and once more to learn the classes', async () => {
    let ids = 0
    const { visit } = await start({}, { genid: () => `id-${ids++}` })
    await visit('/count')
    for (let request = 0; request < 3; request += 1) await visit('/count')

    expect(ids).toBe(2)
  })

  it('proxy and secure cookies: a session is restored, and loaded outside of a request', async () => {
    const { store, sessions, visit } = await start({}, { proxy: true })
    await visit('/count')
    const [id = ''] = [...sessions.keys()]
    const other = registryStore(sessions)
    await startExpress(other, { proxy: true, cookie: { secure: 'auto' } })
    for (const one of [store, other]) {
      const loaded = await new Promise<session.Session & { views: number }>((resolve, reject) =>
        one.load<session.Session & { views: number }>(id, (error, found) =>
          found === undefined ? reject(error) : resolve(found),
        ),
      )
      expect([loaded.id, loaded.views]).toEqual([id, 1])
      expect(loaded.save).toBeTypeOf('function')
    }
  })
})
