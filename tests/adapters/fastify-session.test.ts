import type { Session } from 'fastify'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { registryStore } from 'session-registry/express-session'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { recordCalls, startFastify } from './web-apps.ts'

const minute = 60_000
const noSaving = { saveUninitialized: false, rolling: false }

async function start(
  settings: Parameters<typeof startFastify>[1] = {},
  options: SessionRegistryOptions<Session> = {},
) {
  const clock = installFakeGlobals()
  const sessions = new SessionRegistry<Session>(options)
  const store = registryStore(sessions)
  const calls = recordCalls(store)
  const [begun, finished] = [deferred(), deferred()]
  const pause = () => {
    begun.resolve()
    return finished.promise
  }
  const open = await startFastify(store, settings, pause)
  return { clock, sessions, calls, begun, finished, open, visit: open() }
}

describe('@fastify/session on a registry', () => {
  it.each([
    ['its defaults', {}, ['set'], 1],
    ['saveUninitialized: false', noSaving, [], 0],
  ])('new visitor of whom nothing is stored, with %s', async (_what, settings, expected, size) => {
    const { visit, calls, sessions } = await start(settings)

    expect(await visit('/look')).toEqual({ status: 200, text: '0' })
    expect(calls).toEqual(expected)
    expect(sessions.size).toBe(size)
  })

  it('first write: creates the session', async () => {
    const { visit, calls, sessions } = await start(noSaving)

    expect((await visit('/count')).text).toBe('1')
    expect(calls).toEqual(['set'])
    expect(sessions.size).toBe(1)
  })

  it.each([
    ['/look', ['get', 'set'], '1'],
    ['/count', ['get', 'set'], '2'],
    ['/save', ['get', 'set', 'set'], '2'],
    ['/reload', ['get', 'get', 'set'], '1'],
    ['/regenerate', ['get', 'destroy', 'set', 'set'], '1'],
    ['/destroy', ['get', 'destroy'], '0'],
  ])('returning visitor: %s', async (path, expected, text) => {
    const { visit, calls } = await start()
    await visit('/count')
    calls.length = 0

    expect(await visit(path)).toEqual({ status: 200, text })
    expect(calls).toEqual(expected)
  })

  it('rolling: false: a request that reads only reads', async () => {
    const { visit, calls } = await start(noSaving)
    await visit('/count')
    calls.length = 0
    await visit('/look')

    expect(calls).toEqual(['get'])
  })

  it('regenerate: ends the old session, and the new one has another id', async () => {
    const { visit, sessions } = await start()
    await visit('/count')
    const [old] = [...sessions.keys()]
    await visit('/regenerate')

    expect([...sessions.keys()]).toHaveLength(1)
    expect(sessions.has(String(old))).toBe(false)
    expect((await visit('/look')).text).toBe('1')
  })

  it.each([
    ['undone without tombstones', 0, 1, '2'],
    ['not undone with `tombstoneMs`', minute, 0, '0'],
  ])('a log-out during a request: %s', async (_what, tombstoneMs, size, views) => {
    const { visit, sessions, begun, finished } = await start(noSaving, { tombstoneMs })
    await visit('/count')
    const slow = visit('/slow')
    await begun.promise
    expect((await visit('/destroy')).status).toBe(200)
    finished.resolve()

    expect(await slow).toEqual({ status: 200, text: '2' })
    expect(sessions.size).toBe(size)
    expect((await visit('/look')).text).toBe(views)
  })

  it('cookie of a session that is gone: a new one', async () => {
    const { visit, sessions } = await start(noSaving)
    await visit('/count')
    sessions.clear()

    expect((await visit('/count')).text).toBe('1')
    expect(sessions.size).toBe(1)
  })

  it('rolling expiry: each request prolongs the session', async () => {
    const { visit, clock } = await start({ cookie: { secure: false, maxAge: minute } })
    await visit('/count')
    for (let request = 0; request < 3; request += 1) {
      clock.tick(minute - 1)
      expect((await visit('/look')).text).toBe('1')
    }
    clock.tick(minute)
    expect((await visit('/look')).text).toBe('0')
  })

  it('expiry that does not roll: reading does not prolong the session', async () => {
    const { visit, clock, sessions } = await start({
      ...noSaving,
      cookie: { secure: false, maxAge: minute },
    })
    await visit('/count')
    clock.tick(minute / 2)
    expect((await visit('/look')).text).toBe('1')
    clock.tick(minute / 2 - 1)
    expect((await visit('/look')).text).toBe('1')
    clock.tick(1)
    expect([...sessions.keys()]).toEqual([])
    expect((await visit('/look')).text).toBe('0')
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
    const { visit, sessions } = await start(noSaving, { load })
    await visit('/count')
    sessions.clear()
    failure = cause

    expect((await visit('/count')).status).toBe(status)
    expect(sessions.size).toBe(0)
  })

  it('log-out that the store has not made after 3 seconds: 503', async () => {
    const store = new MemoryStore()
    const { visit, sessions, clock } = await start(noSaving, { store })
    sessions.on('error', () => {})
    await visit('/count')
    const deleted = deferred()
    store.delete = async () => {
      deleted.resolve()
      throw new Error('the back end is away')
    }
    const leaving = visit('/destroy')
    await deleted.promise
    await clock.tickAsync(3_000)

    expect(await leaving).toEqual({ status: 503, text: 'ERR_SESSION_STORE_FAILED' })
    expect(sessions.size).toBe(0)
  })

  it('closed registry: 503', async () => {
    const { visit, sessions } = await start(noSaving)
    await visit('/count')
    await sessions.close()

    expect(await visit('/look')).toEqual({ status: 503, text: 'ERR_SESSION_REGISTRY_CLOSED' })
  })
})
