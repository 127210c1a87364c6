import { describe, expect, it, vi } from 'vitest'
import { testFolder } from '../support/test-folder.ts'
import { type StartedServer, saying, startServer } from './started-server.ts'

// Each is a process that compiles itself first; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

const path = 'examples/http-chat.ts'
const start = (folder = testFolder()) => startServer(path, { env: { SESSIONS_FOLDER: folder } })

/** A visitor whose browser keeps the cookie. */
class Visitor {
  readonly #server: StartedServer
  setCookie: string | undefined = undefined

  constructor(server: StartedServer, { setCookie }: { readonly setCookie?: string | undefined } = {}) {
    this.#server = server
    this.setCookie = setCookie
  }

  get headers(): Record<string, string> {
    return this.setCookie === undefined ? {} : { cookie: this.setCookie.split(';')[0] ?? '' }
  }

  async send(init: RequestInit): Promise<{ status: number; body: unknown }> {
    const response = await this.#server.send('/', { ...init, headers: this.headers })
    this.setCookie = response.headers.get('set-cookie') ?? this.setCookie
    return { status: response.status, body: await response.json() }
  }
}

const history = [
  { from: 'visitor', text: 'one' },
  { from: 'bot', text: 'You said: one' },
]

describe(path, () => {
  it('keeps the history of each visitor by a cookie, over a restart', async () => {
    const folder = testFolder()
    const server = await start(folder)
    const ada = new Visitor(server)
    expect(await ada.send(saying('one'))).toEqual({
      status: 200,
      body: { said: 'You said: one', messages: 2 },
    })
    expect(ada.setCookie).toMatch(/^chat=[\w-]{36}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    expect(await ada.send({ method: 'GET' })).toEqual({ status: 200, body: history })
    expect(await new Visitor(server).send({ method: 'GET' })).toEqual({ status: 200, body: [] })
    server.running.child.kill('SIGTERM')
    expect(await server.running.ended()).toBe(0)
    const later = new Visitor(await start(folder), ada)

    expect(await later.send({ method: 'GET' })).toEqual({ status: 200, body: history })
    expect(await later.send(saying('two'))).toMatchObject({ body: { messages: 4 } })
    expect(later.setCookie).toBe(ada.setCookie)
  })

  it('begins no chat under an id that it has not made', async () => {
    const server = await start()
    const setCookie = 'chat=6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
    const mallory = new Visitor(server, { setCookie })

    expect(await mallory.send({ method: 'GET' })).toEqual({ status: 200, body: [] })
    expect(await mallory.send(saying('one'))).toMatchObject({ status: 200, body: { messages: 2 } })
    expect(mallory.setCookie).not.toContain(setCookie)
    expect(await new Visitor(server, { setCookie }).send({ method: 'GET' })).toEqual({
      status: 200,
      body: [],
    })
  })

  it('has the status of what is wrong, and stores nothing of it', async () => {
    const server = await start()
    const ada = new Visitor(server)
    await ada.send(saying('one'))

    expect(await ada.send(saying(''))).toMatchObject({ status: 400 })
    expect(await ada.send({ body: '{"message"' })).toMatchObject({ status: 400 })
    expect(await ada.send({ body: 'null' })).toMatchObject({ status: 400 })
    expect(await ada.send(saying('x'.repeat(10_000)))).toMatchObject({ status: 413 })
    expect(await ada.send({ method: 'PUT' })).toMatchObject({ status: 405 })
    const many = Array.from({ length: 8 }, () => server.post('/', 'again', ada.headers))
    const statuses = await Promise.all(many.map(async ({ answer }) => (await answer).status))
    expect(statuses.filter((status) => status === 429)).toHaveLength(2)
    expect((await ada.send({ method: 'GET' })).body).toHaveLength(2 + 2 * 6)
  })

  it('SIGTERM while messages wait for their turn: all are answered, and stored', async () => {
    const folder = testFolder()
    const server = await start(folder)
    const ada = new Visitor(server)
    await ada.send(saying('one'))
    const posts = Array.from({ length: 4 }, () => server.post('/', 'again', ada.headers))
    await Promise.all(posts.map(({ sent }) => sent))
    // The server reads requests in the order in which they come.
    await ada.send({ method: 'GET' })
    server.running.child.kill('SIGTERM')
    const statuses = await Promise.all(posts.map(async ({ answer }) => (await answer).status))

    expect(statuses).toEqual([200, 200, 200, 200])
    expect(await server.running.ended()).toBe(0)
    expect((await new Visitor(await start(folder), ada).send({ method: 'GET' })).body).toHaveLength(10)
  })
})
