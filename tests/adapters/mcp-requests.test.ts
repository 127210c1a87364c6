import { once } from 'node:events'
import { connect } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { initialize, ping, serveMcp } from '../support/mcp-http.ts'
import { lines } from '../support/mcp-lines.ts'
import { textOf } from '../support/mcp-tools.ts'
import { recordWarnings } from '../support/recorded-warnings.ts'
import { waitUntil } from '../support/wait-until.ts'

const [, line] = lines

describe.each(lines)('MCP transports of $name in Express', (line) => {
  it('`handle` as a middleware: serves with and without a parser of bodies before it', async () => {
    for (const parsers of [[], [express.json()]]) {
      const mcp = await serveMcp(line, {}, (handle) => express().all('/mcp', ...parsers, handle))
      const { call, transport } = await mcp.connect()

      expect(textOf(await call('echo'))).toBe('server 1')
      await transport.terminateSession()
      await waitUntil(() => mcp.closes.length === 1)
    }
  })

  it('`parsedBody`: is the body that a parser has read', async () => {
    const mcp = await serveMcp(line, {}, (handle) =>
      express().all('/mcp', express.json({ limit: '5mb' }), (request, response) => {
        const { body } = request
        request.body = undefined
        return handle(request, response, body)
      }),
    )
    const { call } = await mcp.connect()

    expect(textOf(await call('echo'))).toBe('server 1')
  })

  it('a body that was read and not passed on: 400, and no request is left hanging', async () => {
    const mcp = await serveMcp(line, {}, (handle) =>
      express().all('/mcp', express.json(), (request, response) => {
        request.body = undefined
        return handle(request, response)
      }),
    )

    expect(await mcp.statusOf('POST', { body: initialize })).toBe(400)
  })
})

describe('MCP transports', () => {
  it('a client that tries protocol 2026-07-28 first: goes on with a session', async () => {
    const mcp = await serveMcp(line)
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new StreamableHTTPClientTransport(mcp.url))
    onTestFinished(() => client.close())

    expect(await client.callTool({ name: 'echo' })).toMatchObject({ content: [{ text: 'server 1' }] })
    expect(mcp.servers).toHaveLength(1)
  })

  it('an empty session id: is none', async () => {
    const mcp = await serveMcp(line)

    expect(await mcp.statusOf('POST', { session: '', body: ping })).toBe(400)
    expect(await mcp.statusOf('POST', { session: '', body: initialize })).toBe(200)
  })

  it('a body that is no JSON: 400 with the code of a parse error', async () => {
    const mcp = await serveMcp(line)
    const response = await mcp.request('POST', { body: '{"method":"initialize"' })

    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32700 } }])
  })

  it('a body over 4 MiB: 413, whether its length is announced or not', async () => {
    const mcp = await serveMcp(line)
    const body = `"${'x'.repeat(4 * 1024 * 1024)}"`
    expect(await mcp.statusOf('POST', { body })).toBe(413)

    const socket = connect(Number(mcp.url.port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.write('POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    socket.write(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
    const [data] = await once(socket, 'data')

    expect(String(data)).toMatch(/^HTTP\/1\.1 413 /)
    expect(mcp.servers).toHaveLength(0)
  })

  it('a client that leaves in the middle of its body: nothing is left, and nothing is said', async () => {
    const warnings = recordWarnings()
    const mcp = await serveMcp(line)
    const socket = connect(Number(mcp.url.port), '127.0.0.1')
    socket.write('POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"method":')
    await waitUntil(() => mcp.handled.length === 1)
    socket.destroy()
    await Promise.all(mcp.handled)

    expect(mcp.servers).toHaveLength(0)
    expect(warnings).toEqual([])
  })

  it('a client that leaves while `owner` is awaited: nothing is left, and nothing is said', async () => {
    const warnings = recordWarnings()
    const owner = deferred<string>()
    const left = deferred()
    const mcp = await serveMcp(line, {
      owner: (request) => {
        request.once('close', () => left.resolve())
        return owner.promise
      },
    })
    const socket = connect(Number(mcp.url.port), '127.0.0.1')
    socket.write('POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"method":')
    await waitUntil(() => mcp.handled.length === 1)
    socket.destroy()
    await left.promise
    owner.resolve('ada')
    await Promise.all(mcp.handled)

    expect(mcp.servers).toHaveLength(0)
    expect(warnings).toEqual([])
  })

  it('a client that leaves while its session waits for its place: leaves the queue', async () => {
    const warnings = recordWarnings()
    const mcp = await serveMcp(line, { maxSessions: 1 })
    await mcp.begin()
    let release = () => {}
    const closing = new Promise<void>((resolve) => {
      release = resolve
    })
    const [first] = mcp.servers
    const close = first?.close
    Object.assign(first as object, { close: () => closing.then(() => close?.()) })
    const leave = new AbortController()
    const leaving = mcp.request('POST', { body: initialize, signal: leave.signal })
    await waitUntil(() => mcp.handled.length === 2)
    leave.abort()
    await leaving.catch(() => {})
    await Promise.all(mcp.handled)
    release()

    await mcp.begin()
    expect(mcp.servers).toHaveLength(2)
    expect(warnings).toEqual([])
  })

  it('a factory that fails: 500 without its message, a warning with it, and nothing is left', async () => {
    const warnings = recordWarnings()
    const closed: string[] = []
    let attempts = 0
    const mcp = await serveMcp(line, {
      maxSessions: 1,
      server: () => {
        attempts += 1
        if (attempts === 1) throw new Error('secret: no database')
        const server = line.newServer()
        if (attempts === 2) server.connect = () => Promise.reject(new Error('secret: not connected'))
        return server
      },
      transport: (options) => {
        const transport = line.newHttpServer(options)
        transport.onclose = () => closed.push(`transport ${attempts}`)
        return transport
      },
    })
    for (const message of ['secret: no database', 'secret: not connected']) {
      const response = await mcp.request('POST', { body: initialize })
      const text = await response.text()

      expect([response.status, text]).toEqual([500, expect.stringContaining('"code":-32603')])
      expect(text).not.toContain('secret')
      await waitUntil(() => warnings.some((warning) => warning.includes(message)))
    }
    expect(closed).toEqual(['transport 2'])
    const session = await mcp.begin()
    expect(await mcp.statusOf('DELETE', { session })).toBe(200)
    // The application's own listener is kept.
    expect(closed).toEqual(['transport 2', 'transport 3'])
    expect(warnings).toHaveLength(2)
  })

  it.each<[what: string, transport: () => never, close: (() => never) | undefined]>([
    [
      'throws',
      () => {
        throw new Error('no transport')
      },
      undefined,
    ],
    ['rejects', () => Promise.reject(new Error('no transport')) as never, undefined],
    ['returns none', () => undefined as never, undefined],
    [
      'throws, and a server that cannot be closed',
      () => {
        throw new Error('no transport')
      },
      () => {
        throw new Error('not closed')
      },
    ],
  ])('a transport factory that %s: 500, and the server is closed', async (_what, transport, close) => {
    const warnings = recordWarnings()
    let closes = 0
    const mcp = await serveMcp(line, {
      server: () => {
        const server = line.newServer()
        server.close = async () => {
          closes += 1
        }
        if (close !== undefined) {
          server.close = () => {
            closes += 1
            return close()
          }
        }
        return server
      },
      transport,
    })

    expect(await mcp.statusOf('POST', { body: initialize })).toBe(500)
    expect(closes).toBe(1)
    await waitUntil(() => warnings.length === 1)
    expect(warnings[0]).not.toContain('not closed')
  })

  it('a transport that closes while it is connected: fails once, and is not made again and again', async () => {
    const warnings = recordWarnings()
    let made = 0
    const mcp = await serveMcp(line, {
      server: () => {
        made += 1
        const server = line.newServer()
        const connect = server.connect.bind(server)
        server.connect = async (transport: never) => {
          await connect(transport)
          await server.close()
        }
        return server
      },
    })

    expect(await mcp.statusOf('POST', { body: initialize })).toBe(500)
    expect(made).toBe(1)
    await waitUntil(() => warnings.length === 1)
  })

  it.each<[what: string, owner: () => never]>([
    [
      'throws',
      () => {
        throw new Error('no user service')
      },
    ],
    ['returns a number', () => 7 as never],
  ])('`owner` that %s: 500, and no session is used', async (_what, owner) => {
    const warnings = recordWarnings()
    const mcp = await serveMcp(line, { owner })

    expect(await mcp.statusOf('POST', { body: initialize })).toBe(500)
    expect(mcp.servers).toHaveLength(0)
    await waitUntil(() => warnings.length === 1)
  })

  it('a server that fails to close: is a warning, and its session has ended', async () => {
    const warnings = recordWarnings()
    const mcp = await serveMcp(line)
    const session = await mcp.begin()
    Object.assign(mcp.servers[0] as object, { close: () => Promise.reject(new Error('stuck')) })
    expect(await mcp.statusOf('DELETE', { session })).toBe(200)

    await waitUntil(() => warnings.length === 1)
    expect(warnings[0]).toContain('stuck')
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(404)
  })
})
