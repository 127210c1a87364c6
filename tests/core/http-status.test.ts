import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { SessionRegistry, SessionRegistryError } from 'session-registry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { thrownBy } from '../support/session-error.ts'

// Neither has types.
const require = createRequire(import.meta.url)
const express = require('express') as () => RequestListener & {
  get(path: string, handler: () => unknown): void
  set(setting: string, value: string): void
}
const Koa = require('koa') as new () => {
  silent: boolean
  use(handler: () => unknown): void
  callback(): RequestListener
}

type Answer = { readonly status: number; readonly body: string }

async function answerOf(listener: RequestListener): Promise<Answer> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  return { status: response.status, body: await response.text() }
}

/** For each framework, the response to an error that a handler throws. */
const frameworks: Record<string, (error: unknown) => Promise<Answer>> = {
  Fastify: async (error) => {
    const app = Fastify()
    app.get('/', async () => {
      throw error
    })
    const { statusCode: status, body } = await app.inject('/')
    return { status, body }
  },
  Express: (error) => {
    const app = express()
    app.set('env', 'test')
    app.get('/', async () => {
      throw error
    })
    return answerOf(app)
  },
  Koa: (error) => {
    const app = new Koa()
    app.silent = true
    app.use(async () => {
      throw error
    })
    return answerOf(app.callback())
  },
}

const statuses = {
  ERR_SESSION_ID_INVALID: 400,
  ERR_SESSION_BUSY: 409,
  ERR_SESSION_QUEUE_FULL: 429,
  ERR_SESSION_NO_FACTORY: 500,
  ERR_SESSION_REGISTRY_FULL: 503,
  ERR_SESSION_TURN_TIMEOUT: 504,
} as const

describe.each(Object.entries(frameworks))('%s', (name, answer) => {
  it.each(Object.entries(statuses))(
    'responds with the status of a thrown error: %s, %i',
    async (code, status) => {
      const error = new SessionRegistryError(code as keyof typeof statuses, 'what was wrong')

      expect((await answer(error)).status).toBe(status)
    },
  )

  it('shows no more than the message of an invalid id, which does not contain the id', async () => {
    const error = thrownBy(() => new SessionRegistry().get('secret'.repeat(300)))
    const { status, body } = await answer(error)

    expect(status).toBe(400)
    expect(body).not.toContain('secretsecret')
    expect(body.includes('Expected the session id')).toBe(name !== 'Koa')
  })
})
