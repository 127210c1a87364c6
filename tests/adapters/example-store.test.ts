import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import session, { type SessionData } from 'express-session'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RegistryStore } from '../../examples/adapters/express-session.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { failureOf, sessionError } from '../support/session-error.ts'

const timeoutMs = 60_000

function make() {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<SessionData>({
    clock,
    timeoutMs,
    create: () => ({ cookie: new session.Cookie() }),
  })
  return {
    clock,
    sessions,
    store: new RegistryStore(sessions),
    events: new EventRecorder<SessionData>(sessions),
  }
}

type Visit = { views?: number } & session.Session

/**
 * A server on a free port with express-session in front: `/count` counts, `/look` reads, `/leave` destroys.
 */
async function serve(store: session.Store) {
  const middleware = session({ store, secret: 'secret', resave: false, saveUninitialized: false })
  const withSession = middleware as unknown as (
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ) => void
  const server = createServer((request, response) => {
    withSession(request, response, (error) => {
      const { session: visit } = request as IncomingMessage & { session: Visit }
      if (error !== undefined) response.writeHead(500).end()
      else if (request.url === '/leave') visit.destroy(() => response.end('left'))
      else {
        if (request.url === '/count') visit.views = (visit.views ?? 0) + 1
        response.end(String(visit.views ?? 0))
      }
    })
  })
  await promisify((done: () => void) => server.listen(0, '127.0.0.1', done))()
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  let cookie = ''
  return async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie } })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return await response.text()
  }
}

describe('the store for express-session', () => {
  it('keeps a visitor’s session between requests', async () => {
    const { store, sessions, events } = make()
    const visit = await serve(store)

    expect([await visit('/count'), await visit('/count'), await visit('/look')]).toEqual(['1', '2', '2'])
    expect(sessions.size).toBe(1)
    const [id] = [...sessions.keys()]
    expect(events.lines).toEqual([`created ${id}`])
  })

  it('creates no session for a visitor who only reads', async () => {
    const { store, sessions } = make()
    const visit = await serve(store)

    expect(await visit('/look')).toBe('0')
    expect(sessions.size).toBe(0)
  })

  it('treats every request as activity, one without changes too', async () => {
    const { store, clock } = make()
    const visit = await serve(store)
    await visit('/count')
    clock.advance(timeoutMs - 1)
    await visit('/look')
    clock.advance(timeoutMs - 1)
    expect(await visit('/look')).toBe('1')
    clock.advance(timeoutMs)
    expect(await visit('/look')).toBe('0')
  })

  it('writes into the live session if the old one expired meanwhile', async () => {
    const { store, clock, sessions, events } = make()
    const visit = await serve(store)
    await visit('/count')
    clock.advance(timeoutMs)
    expect(await visit('/count')).toBe('1')
    const [id] = [...sessions.keys()]

    expect(events.lines.at(-1)).toBe(`created ${id}`)
    expect(await visit('/count')).toBe('2')
  })

  it('destroy: ends the session', async () => {
    const { store, sessions } = make()
    const visit = await serve(store)
    await visit('/count')
    await visit('/leave')

    expect(sessions.size).toBe(0)
    expect(sessions.stats().deleted).toBe(1)
    expect(await visit('/count')).toBe('1')
  })

  it('copies values in both directions', async () => {
    const { store, sessions } = make()
    const set = promisify(store.set.bind(store))
    const get = promisify(store.get.bind(store))
    const data = { cookie: new session.Cookie(), cart: ['tea'] }
    const written = set('a', data)
    data.cart.push('milk')
    await written
    const read = (await get('a')) as typeof data
    read.cart.push('sugar')

    expect(sessions.get('a')).toMatchObject({ cart: ['tea'] })
    expect(await get('unknown')).toBeNull()
  })

  it('passes errors to the callback', async () => {
    const { store, sessions } = make()
    const data = { cookie: new session.Cookie() }
    const calls = {
      get: promisify(store.get.bind(store)),
      set: (id: string) => promisify(store.set.bind(store))(id, data),
      touch: (id: string) => promisify(store.touch.bind(store))(id, data),
      destroy: promisify(store.destroy.bind(store)),
    }
    for (const call of Object.values(calls)) {
      expect(await failureOf(() => call(''))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    }
    await sessions.close()
    expect(await failureOf(() => calls.set('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })
})
