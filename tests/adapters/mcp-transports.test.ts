import { describe, expect, it } from 'vitest'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { initialize, ping, serveMcp } from '../support/mcp-http.ts'
import { lines } from '../support/mcp-lines.ts'
import { textOf } from '../support/mcp-tools.ts'
import { recordWarnings } from '../support/recorded-warnings.ts'
import { settle } from '../support/settle.ts'
import { waitUntil } from '../support/wait-until.ts'

const notFound = { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null }

describe.each(lines)('MCP transports of $name', (line) => {
  it('a client: has a server of its own for all its calls, until it deletes the session', async () => {
    const mcp = await serveMcp(line)
    const [ada, bob] = [await mcp.connect(), await mcp.connect()]
    const texts = [await ada.call('echo'), await bob.call('echo'), await ada.call('echo')].map(textOf)

    expect(texts).toEqual(['server 1', 'server 2', 'server 1'])
    await ada.transport.terminateSession()
    await waitUntil(() => mcp.closes.length === 1)
    expect(mcp.closes).toEqual(['server 1'])
    const response = await mcp.request('POST', { session: ada.session, body: ping })
    expect([response.status, await response.json()]).toEqual([404, notFound])
    expect(textOf(await bob.call('echo'))).toBe('server 2')
    await Promise.all([mcp.transports.close(), mcp.transports.close()])
    expect(mcp.closes).toEqual(['server 1', 'server 2'])
  })

  it('an idle session: answers one millisecond before its timeout, and is 404 at it and closed soon', async () => {
    const clock = installFakeGlobals()
    const mcp = await serveMcp(line, { timeoutMs: 60_000 })
    const session = await mcp.begin()
    await settle()
    clock.tick(59_999)
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
    await settle()
    clock.tick(60_000)

    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(404)
    const other = await mcp.begin()
    clock.tick(75_000)
    await waitUntil(() => mcp.closes.length === 2)
    expect(await mcp.statusOf('DELETE', { session: other })).toBe(404)
  })

  it('an open stream: keeps the session from idling, and the idle time begins when it ends', async () => {
    const clock = installFakeGlobals()
    const mcp = await serveMcp(line, { timeoutMs: 60_000 })
    const { call, session, transport } = await mcp.connect()
    await settle()
    clock.tick(10 * 60_000)
    expect(textOf(await call('echo'))).toBe('server 1')
    clock.tick(10 * 60_000)
    await transport.close()
    await waitUntil(() => mcp.openStreams === 0)
    await settle()

    clock.tick(59_999)
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
    await settle()
    clock.tick(60_000)
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(404)
  })

  it('a second stream: is refused by the transport, and its end leaves the first its session', async () => {
    const clock = installFakeGlobals()
    const mcp = await serveMcp(line, { timeoutMs: 60_000 })
    const { call, session } = await mcp.connect()
    expect(await mcp.statusOf('GET', { session })).toBe(409)
    await waitUntil(() => mcp.openStreams === 1)
    await settle()
    clock.tick(10 * 60_000)

    expect(textOf(await call('echo'))).toBe('server 1')
  })

  it('at the cap: the session with no more than a stream is closed, and its client is told 404', async () => {
    const mcp = await serveMcp(line, { maxSessions: 1 })
    const session = await mcp.begin()
    const stream = await mcp.request('GET', { session })
    await mcp.begin()

    expect(mcp.closes).toEqual(['server 1'])
    expect(await stream.text()).not.toContain('jsonrpc')
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(404)
    expect(mcp.servers).toHaveLength(2)
  })

  it.each([
    ['with', 'server 2'],
    ['without', 'server 1'],
  ])(
    'at the cap: closes the least recently active, where the one %s a stream is active',
    async (which, closed) => {
      const clock = installFakeGlobals()
      const mcp = await serveMcp(line, { maxSessions: 2, timeoutMs: 60_000 })
      const sessions = { with: await mcp.begin(), without: await mcp.begin() }
      await mcp.request('GET', { session: sessions.with })
      await settle()
      clock.tick(5_000)
      const session = which === 'with' ? sessions.with : sessions.without
      expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
      await settle()
      clock.tick(5_000)
      await mcp.begin()

      expect(mcp.closes).toEqual([closed])
    },
  )

  it('at the cap: a session whose call is under way is not closed, and a new one is 503', async () => {
    const mcp = await serveMcp(line, { maxSessions: 1 })
    const { call } = await mcp.connect()
    const waiting = call('wait')
    await mcp.waiting(1)

    expect(await mcp.statusOf('POST', { body: initialize })).toBe(503)
    expect(mcp.servers).toHaveLength(1)
    mcp.waits[0]?.release()
    expect(textOf(await waiting)).toBe('released')
    await waitUntil(async () => (await mcp.statusOf('POST', { body: initialize })) === 200)
    expect(mcp.closes).toEqual(['server 1'])
  })

  it('a call under way: keeps the session from idling for 20 minutes, and no longer', async () => {
    const clock = installFakeGlobals()
    const warnings = recordWarnings()
    const mcp = await serveMcp(line, { timeoutMs: 60_000 })
    const session = await mcp.begin()
    const body = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'wait', arguments: {} } }
    const stream = await mcp.request('POST', { session, body })
    await mcp.waiting(1)
    clock.tick(20 * 60_000 - 1)
    expect(mcp.closes).toEqual([])
    expect(mcp.waits[0]?.signal.aborted).toBe(false)
    clock.tick(1)
    await settle()
    clock.tick(75_000)
    await waitUntil(() => mcp.closes.length === 1)

    expect(mcp.waits[0]?.signal.aborted).toBe(true)
    expect(await stream.text()).not.toContain('released')
    await settle()
    expect(warnings).toEqual([])
  })

  it('a cancelled call: aborts the signal of the tool, and the session goes on', async () => {
    const mcp = await serveMcp(line)
    const { call } = await mcp.connect()
    const cancel = new AbortController()
    const waiting = call('wait', { signal: cancel.signal }).catch(() => 'cancelled')
    await mcp.waiting(1)
    cancel.abort()

    expect(await waiting).toBe('cancelled')
    await waitUntil(() => mcp.waits[0]?.signal.aborted === true)
    expect(textOf(await call('echo'))).toBe('server 1')
  })

  it('calls of one session: run side by side', async () => {
    const mcp = await serveMcp(line)
    const { call } = await mcp.connect()
    const waiting = [call('wait'), call('wait')]
    await mcp.waiting(2)
    for (const { release } of mcp.waits) release()

    expect((await Promise.all(waiting)).map(textOf)).toEqual(['released', 'released'])
  })

  it('DELETE with a call under way: aborts its signal, and closes the server once', async () => {
    const mcp = await serveMcp(line)
    const { call, transport } = await mcp.connect()
    void call('wait').catch(() => {})
    await mcp.waiting(1)
    await transport.terminateSession()

    await waitUntil(() => mcp.closes.length > 0)
    expect(mcp.waits[0]?.signal.aborted).toBe(true)
    await settle()
    expect(mcp.closes).toEqual(['server 1'])
  })

  it('close: waits for the answer of a call, refuses what comes meanwhile, and closes everything', async () => {
    const mcp = await serveMcp(line)
    const { call } = await mcp.connect()
    await mcp.connect('bob')
    const waiting = call('wait')
    await mcp.waiting(1)
    const closed = mcp.transports.close()

    expect(await mcp.statusOf('POST', { body: initialize })).toBe(503)
    mcp.waits[0]?.release()
    expect(textOf(await waiting)).toBe('released')
    await closed
    expect(mcp.closes.toSorted()).toEqual(['server 1', 'server 2'])
    await waitUntil(() => mcp.openStreams === 0)
    await Promise.all(mcp.handled)
  })

  it('close: aborts the signal of a call that is not answered by the deadline', async () => {
    const mcp = await serveMcp(line)
    const { call } = await mcp.connect()
    void call('wait').catch(() => {})
    await mcp.waiting(1)
    await mcp.transports.close({ deadlineMs: 20 })

    expect(mcp.waits[0]?.signal.aborted).toBe(true)
    expect(mcp.closes).toEqual(['server 1'])
  })

  it('another owner: is told that there is no such session, whatever the method, and does not keep it', async () => {
    const clock = installFakeGlobals()
    const mcp = await serveMcp(line, { owner: (request) => request.headers['x-person']?.toString() })
    const session = await mcp.begin('ada')
    await settle()
    clock.tick(59_999)
    const eve = { session, person: 'eve' }
    for (const method of ['POST', 'GET', 'DELETE', 'PUT'])
      expect(await mcp.statusOf(method, method === 'POST' ? { ...eve, body: ping } : eve)).toBe(404)
    const stranger = await mcp.request('POST', { session, body: ping })
    expect([stranger.status, await stranger.json()]).toMatchObject([403, { error: { message: 'Forbidden' } }])
    expect(await mcp.statusOf('POST', { body: initialize })).toBe(403)
    expect(mcp.servers).toHaveLength(1)
    clock.tick(1)

    expect(await mcp.statusOf('POST', { session, person: 'ada', body: ping })).toBe(404)
  })

  it.each([
    ['GET', undefined],
    ['DELETE', undefined],
    ['PUT', undefined],
    ['POST', ping],
    ['POST', [ping, ping]],
    ['POST', []],
    ['POST', 'null'],
    ['POST', '"initialize"'],
    ['POST', { method: ['initialize'] }],
  ])(
    '%s without a session id, and no `initialize` (%j): 400, and no server is made',
    async (method, body) => {
      const mcp = await serveMcp(line)
      const response = await mcp.request(method, { body })

      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32000 }, id: null })
      expect(mcp.servers).toHaveLength(0)
    },
  )

  it('a DELETE that the transport refuses: leaves the session', async () => {
    const mcp = await serveMcp(line)
    const session = await mcp.begin()

    expect(await mcp.statusOf('DELETE', { session, headers: { 'mcp-protocol-version': '1999-01-01' } })).toBe(
      400,
    )
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
    expect(mcp.closes).toEqual([])
  })

  it.each(['x', 'x'.repeat(2_000), '__proto__', 'a, b'])('the session id %j: 404', async (session) => {
    const mcp = await serveMcp(line)
    const response = await mcp.request('POST', { session, body: initialize })

    expect([response.status, await response.json()]).toEqual([404, notFound])
    expect(mcp.servers).toHaveLength(0)
  })

  it('a server that closes itself: ends its session', async () => {
    const mcp = await serveMcp(line)
    const session = await mcp.begin()
    await mcp.servers[0]?.close()

    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(404)
    expect(mcp.servers).toHaveLength(1)
  })
})
