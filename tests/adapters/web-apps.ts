import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import express, { type ErrorRequestHandler } from 'express'
import session from 'express-session'
import Fastify from 'fastify'
import type { RegistryStore } from 'session-registry/express-session'
import { onTestFinished } from 'vitest'

/** What a visitor got. */
interface Page {
  readonly status: number
  readonly text: string
}

/** A browser with its cookies: it asks for a path. */
export interface Browser {
  (path: string): Promise<Page>
  /** The cookies as it sends them. */
  cookie: string
}

type Views = { views?: number }

const secret = 'a secret of 32 characters or more'

/**
 * Starts an application on express-session: each path counts, reads or calls the method of its name, and
 * `/slow` waits for `pause`. Returns a new browser at each call.
 */
export async function startExpress(
  store: RegistryStore,
  options: Partial<session.SessionOptions> = {},
  pause = async () => {},
): Promise<() => Browser> {
  const app = express()
  app.use(session({ store, secret, resave: false, saveUninitialized: false, ...options }))
  const visitOf = (request: express.Request) => request.session as unknown as session.Session & Views
  const views = (request: express.Request) => String(visitOf(request)?.views ?? 0)
  const count = (request: express.Request) => {
    visitOf(request).views = Number(views(request)) + 1
  }
  app.get('/look', (request, response) => void response.send(views(request)))
  app.get('/count', (request, response) => {
    count(request)
    response.send(views(request))
  })
  app.get('/short', (request, response) => {
    count(request)
    request.session.cookie.maxAge = 1_000
    response.send(views(request))
  })
  for (const name of ['save', 'reload', 'regenerate', 'destroy'] as const) {
    app.get(`/${name}`, (request, response, next) => {
      if (name === 'save') count(request)
      visitOf(request)[name]((error: unknown) => {
        if (error !== undefined && error !== null) return next(error)
        if (name === 'regenerate') count(request)
        response.send(views(request))
      })
    })
  }
  app.get('/slow', async (request, response) => {
    visitOf(request).views = Number(views(request)) + 1
    await pause()
    response.send(views(request))
  })
  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    if (!response.headersSent) response.status(error.status ?? 500).send(String(error.code ?? 'error'))
  }
  app.use(onError)
  const server = createServer(app)
  await promisify((done: () => void) => server.listen(0, '127.0.0.1', done))()
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return () => browser((path, cookie) => fetchPage(port, path, cookie))
}

/** Starts the application on `@fastify/session`, with `/slow` too. */
export async function startFastify(
  store: RegistryStore,
  options: Partial<fastifySession.FastifySessionOptions> = {},
  pause = async () => {},
): Promise<() => Browser> {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(fastifyCookie)
  await app.register(fastifySession, { store, secret, cookie: { secure: false }, ...options })
  type Visit = fastifySession.FastifySessionObject & Views
  const count = (visit: Visit) => {
    visit.views = (visit.views ?? 0) + 1
  }
  const views = (visit: Visit | null) => String(visit?.views ?? 0)
  app.get('/look', async ({ session }) => views(session))
  app.get('/count', async ({ session }) => {
    count(session)
    return views(session)
  })
  for (const name of ['save', 'reload', 'regenerate', 'destroy'] as const) {
    app.get(`/${name}`, async (request) => {
      if (name === 'save') count(request.session)
      await request.session[name]()
      if (name === 'regenerate') count(request.session)
      return views(request.session)
    })
  }
  app.get('/slow', async ({ session }) => {
    count(session)
    await pause()
    return views(session)
  })
  app.setErrorHandler<Error & { code?: string; statusCode?: number }>((error, _request, reply) =>
    reply.status(error.statusCode ?? 500).send(error.code),
  )
  await app.ready()
  return () =>
    browser(async (url, cookie) => {
      const { statusCode, body, headers } = await app.inject({ url, headers: { cookie } })
      return { status: statusCode, text: body, setCookie: [headers['set-cookie'] ?? []].flat() }
    })
}

/** Writes down the calls of a store by name, in order. */
export function recordCalls(store: RegistryStore): string[] {
  const calls: string[] = []
  for (const name of ['get', 'set', 'touch', 'destroy'] as const) {
    const call = store[name].bind(store) as (...args: unknown[]) => void
    store[name] = (...args: unknown[]) => {
      calls.push(name)
      call(...args)
    }
  }
  return calls
}

type Fetched = Page & { readonly setCookie: readonly string[] }

function browser(ask: (path: string, cookie: string) => Promise<Fetched>): Browser {
  const visit: Browser = Object.assign(
    async (path: string) => {
      const { status, text, setCookie } = await ask(path, visit.cookie)
      // As a browser does that ignores when a cookie expires, and so shows what the server does.
      visit.cookie = setCookie.at(-1)?.split(';')[0] ?? visit.cookie
      return { status, text }
    },
    { cookie: '' },
  )
  return visit
}

function fetchPage(port: number, path: string, cookie: string): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, headers: { cookie } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part) => {
        text += part
      })
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text, setCookie: response.headers['set-cookie'] ?? [] })
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
