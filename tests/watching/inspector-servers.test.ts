import { once } from 'node:events'
import { createServer, type RequestListener, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import Fastify from 'fastify'
import { SessionRegistry } from 'session-registry'
import { nodeHandler } from 'session-registry/inspector'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { inspectorOf } from '../support/inspector-requests.ts'

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Handler = ReturnType<typeof inspectorOf>['handler']

/** Servers that mount an inspector, each with the path under which it is. */
const servers: Record<string, (handler: Handler) => Promise<string>> = {
  'node:http': async (handler) => `${await listen(nodeHandler(handler))}/`,
  'node:http, under a path': async (handler) => {
    const answer = nodeHandler(handler)
    const base = await listen((request, response) => {
      if (request.url?.startsWith('/admin/sessions')) answer(request, response)
      else response.writeHead(404).end()
    })
    return `${base}/admin/sessions`
  },
  'an Express app, after a body parser': async (handler) => {
    const app = express().use(express.json()).use('/admin/sessions', nodeHandler(handler))
    return `${await listen(app)}/admin/sessions`
  },
  'an Express router, with a slash': async (handler) => {
    const router = express.Router().all('/sessions/', nodeHandler(handler))
    return `${await listen(express().use('/admin', router))}/admin/sessions/`
  },
  Fastify: async (handler) => {
    const logged: string[] = []
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line) => logged.push(line) } } })
    onTestFinished(async () => {
      await app.close()
      expect(logged).toEqual([])
    })
    app.addHook('onSend', async (_request, reply, payload) => {
      await wait(20)
      reply.header('x-hooked', 'yes')
      return payload
    })
    app.all('/admin/sessions', nodeHandler(handler))
    return `${await app.listen({ port: 0, host: '127.0.0.1' })}/admin/sessions`
  },
  'a plugin of Fastify, with a prefix': async (handler) => {
    const app = Fastify()
    onTestFinished(() => app.close())
    app.register(async (plugin) => plugin.all('/sessions', nodeHandler(handler)), { prefix: '/admin' })
    return `${await app.listen({ port: 0, host: '127.0.0.1' })}/admin/sessions`
  },
}

describe.each(Object.entries(servers))('nodeHandler() in %s', (name, mount) => {
  const setUp = async () => {
    const registry = new SessionRegistry<number>({ name: 'chats', create: () => 1 })
    registry.getOrCreate('a')
    const asked: Request[] = []
    const { handler } = inspectorOf(registry, {
      endSessions: true,
      authorize: (request) => {
        asked.push(request)
        return request.headers.get('authorization') === 'Bearer t'
      },
    })
    const url = await mount(handler)
    const call = (query = '', init: RequestInit = {}) =>
      fetch(url + query, { ...init, headers: { authorization: 'Bearer t', ...init.headers } })
    return { registry, asked, url, call }
  }

  it('serves the page and its snapshots, with all headers', async () => {
    const { call, asked, url } = await setUp()
    const page = await call()
    const snapshot = await call('?snapshot')

    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    if (name === 'Fastify') expect(page.headers.get('x-hooked')).toBe('yes')
    expect(await page.text()).toMatch(/^<!doctype html>[\s\S]+<\/html>\n$/)
    expect(await snapshot.json()).toMatchObject({ registries: [{ name: 'chats' }] })
    expect(asked.map((one) => one.url)).toEqual([url, `${url}?snapshot`])
  })

  it('answers HEAD without a body, a refusal with 403, and another method with 405', async () => {
    const { call } = await setUp()
    const head = await call('', { method: 'HEAD' })
    const refused = await call('', { headers: { authorization: '' } })
    const put = await call('', { method: 'PUT' })

    expect([head.status, await head.text()]).toEqual([200, ''])
    expect([refused.status, await refused.text()]).toEqual([403, '403\n'])
    expect(put.status).toBe(405)
  })

  it.each([{}, { 'content-type': 'application/json' }])(
    'ends a session, with the headers %j',
    async (headers) => {
      const { call, registry, url } = await setUp()
      const query = `?end=${registry.ref('a')}&registry=0`
      const body = 'content-type' in headers ? { body: '{}' } : {}
      const refused = await call(query, {
        method: 'POST',
        ...body,
        headers: { ...headers, origin: 'http://evil.example' },
      })
      expect([refused.status, registry.has('a')]).toEqual([403, true])
      const origin = new URL(url).origin
      const ended = await call(query, { method: 'POST', ...body, headers: { ...headers, origin } })

      expect([ended.status, await ended.json()]).toEqual([200, { ended: true }])
      expect(registry.has('a')).toBe(false)
    },
  )
})

describe('nodeHandler(): an odd request', () => {
  /** Sends a request as it is written, without a look at it. */
  async function sendRaw(path: string, headers: Record<string, string>, method = 'GET') {
    const asked: string[] = []
    const { handler } = inspectorOf(new SessionRegistry<number>(), {
      endSessions: true,
      authorize: ({ url }) => {
        asked.push(url)
        return true
      },
    })
    const { port } = new URL(await listen(nodeHandler(handler)))
    const sending = send({ host: '127.0.0.1', port, path, method, headers, setHost: false })
    sending.end()
    const [response] = await once(sending, 'response')
    await text(response)
    return { status: response.statusCode, asked, port }
  }

  it.each([
    ['//evil.example/x', 'http://good.example//evil.example/x'],
    ['/\\evil.example', 'http://good.example//evil.example'],
    ['http://evil.example/x', 'http://good.example/'],
    ['/a?b=%00', 'http://good.example/a?b=%00'],
    ['*', 'http://good.example/'],
  ])('for %s has the host of its header', async (path, url) => {
    const { asked, status } = await sendRaw(path, { host: 'good.example' })

    expect(asked).toEqual([url])
    expect(status).toBe(200)
  })

  it.each(['not a host', 'a@b:c', ''])('with the host %j is of no origin', async (host) => {
    const { asked, status } = await sendRaw('/?end=a&registry=0', { host, origin: 'http://not' }, 'POST')

    expect(new URL(asked[0] ?? '').host).toBe('invalid')
    expect(status).toBe(403)
  })

  it('with a method that a Request cannot have is answered with 400, and ends no process', async () => {
    expect(await sendRaw('/', { host: 'a' }, 'TRACE')).toMatchObject({ status: 400, asked: [] })
  })
})

describe('nodeHandler(): a request that a timeout answers first', () => {
  function setUp() {
    const allowed = deferred<boolean>()
    const { handler } = inspectorOf(new SessionRegistry<number>(), { authorize: () => allowed.promise })
    return { allowed, answer: nodeHandler(handler) }
  }

  it('in node:http: is not answered again', async () => {
    const { allowed, answer } = setUp()
    let answering: Promise<void> | undefined
    const url = await listen((request, response) => {
      answering = answer(request, response)
      response.writeHead(503).end('late')
    })
    const response = await fetch(url)
    allowed.resolve(true)

    expect([response.status, await response.text()]).toEqual([503, 'late'])
    expect(await answering).toBeUndefined()
  })

  it('in Fastify: is not answered again, and nothing is logged', async () => {
    const { allowed, answer } = setUp()
    const logged: string[] = []
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line) => logged.push(line) } } })
    onTestFinished(() => app.close())
    const ended = deferred<unknown>()
    app.get('/', (request, reply) => {
      const answering = answer(request, reply)
      answering.then(() => ended.resolve('resolved'), ended.resolve)
      reply.code(503).send('late')
      return answering
    })
    const response = await fetch(await app.listen({ port: 0, host: '127.0.0.1' }))
    allowed.resolve(true)

    expect([response.status, await response.text()]).toEqual([503, 'late'])
    expect(await ended.promise).toBe('resolved')
    expect(logged).toEqual([])
  })
})
