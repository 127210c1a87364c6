import { describe, expect, it, vi } from 'vitest'
import { testFolder } from '../support/test-folder.ts'
import { saying, startServer } from './started-server.ts'

// Each is a process that compiles itself first; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

/** The parts of a stream of server-sent events. */
const partsOf = async (response: Response) =>
  Array.from((await response.text()).matchAll(/^data: (.*)$/gm), ([, json = '']) => JSON.parse(json))

/** A message whose answer takes long. */
const manyWords = 'word '.repeat(20)

/**
 * One turn runs and ten wait: what comes meanwhile is refused. On a busy machine some turns end before all
 * requests have come.
 */
async function expectFullQueue(send: () => Promise<Response>): Promise<void> {
  const statuses = (await Promise.all(Array.from({ length: 60 }, send))).map(({ status }) => status)
  const refused = statuses.filter((status) => status === 429)

  expect(statuses.filter((status) => status === 200)).toHaveLength(60 - refused.length)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.length).toBeLessThanOrEqual(60 - 11)
}

describe('examples/express.ts', () => {
  it('answers in turns, streams, keeps what a visitor who leaves was told, and closes at SIGTERM', async () => {
    const { running, send } = await startServer('examples/express.ts')
    const both = await Promise.all([send('/chat/ada', saying('one')), send('/chat/ada', saying('two'))])
    expect(await Promise.all(both.map((response) => response.json()))).toEqual([
      { reply: 'You said: one' },
      { reply: 'You said: two' },
    ])
    expect(await partsOf(await send('/chat/ada/stream', saying('more please')))).toEqual([
      'You said: ',
      'more ',
      'please',
    ])
    expect((await send('/chat/ben', { method: 'GET' })).status).toBe(404)

    const leaving = new AbortController()
    const words = 'word '.repeat(1_000)
    const left = await send('/chat/ada/stream', { ...saying(words), signal: leaving.signal })
    await left.body?.getReader().read()
    leaving.abort()
    // The next turn begins as soon as the one that was left has ended: a thousand parts would take long.
    expect(await (await send('/chat/ada', saying('bye'))).json()).toEqual({ reply: 'You said: bye' })
    const history = (await (await send('/chat/ada', { method: 'GET' })).json()) as string[]
    expect(history[1]).toBe(`You said: ${history[0]}`)
    expect(history[3]).toBe(`You said: ${history[2]}`)
    expect(history.slice(4, 7)).toEqual(['more please', 'You said: more please', words])
    expect(history[7]).toMatch(/^You said: (word )*$/)
    expect(history[7]?.length).toBeLessThan(words.length)
    expect(history.slice(8)).toEqual(['bye', 'You said: bye'])

    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toBe('1 ended, 0 failed')
  })

  it('has the status of an error: of a plain request, and of a stream before its first event', async () => {
    const { send } = await startServer('examples/express.ts')
    const sent = Array.from({ length: 14 }, (_, i) =>
      send(i % 2 === 0 ? '/chat/ada' : '/chat/ada/stream', saying(manyWords)),
    )
    const statuses = (await Promise.all(sent)).map(({ status }) => status)

    expect(statuses.filter((status) => status === 200)).toHaveLength(11)
    expect(statuses.filter((status) => status === 429)).toHaveLength(3)
    expect((await send(`/chat/${'x'.repeat(1_100)}/stream`, saying('hello'))).status).toBe(400)
  })
})

describe('examples/express-session.ts', () => {
  it('keeps a cart behind a cookie, over a restart too, and ends it when its visitor leaves', async () => {
    const env = { FOLDER: testFolder() }
    const { running, send } = await startServer('examples/express-session.ts', { env })
    const looked = await send('/cart', { method: 'GET' })
    expect([await looked.json(), looked.headers.get('set-cookie')]).toEqual([[], null])
    const put = async () => {
      const response = await send('/cart/tea')
      // Its last byte is sent when the store has the session.
      await response.text()
      return response.headers.get('set-cookie')?.split(';')[0] ?? ''
    }
    const cookie = await put()
    expect(await (await send('/cart/milk', { headers: { cookie } })).json()).toEqual(['tea', 'milk'])
    expect((await send('/leave', { headers: { cookie } })).status).toBe(204)
    await running.printed(/2 in the cart: deleted/)
    expect(await (await send('/cart', { method: 'GET', headers: { cookie } })).json()).toEqual([])

    const kept = await put()
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.slice(-2)).toEqual(['1 in the cart: closed', '1 ended, 0 failed'])

    const restarted = await startServer('examples/express-session.ts', { env })
    const look = (of: string) => restarted.send('/cart', { method: 'GET', headers: { cookie: of } })
    expect(await (await look(kept)).json()).toEqual(['tea'])
    expect(await (await look(cookie)).json()).toEqual([])
    restarted.running.child.kill('SIGTERM')
    expect(await restarted.running.ended()).toBe(0)
  })
})

describe('examples/fastify-session.ts', () => {
  it('keeps a cart behind a cookie', async () => {
    const { running, send } = await startServer('examples/fastify-session.ts')
    const post = (cookie = '') => send('/cart/tea', { headers: { cookie, 'content-type': 'text/plain' } })
    expect((await send('/cart', { method: 'GET' })).headers.get('set-cookie')).toBeNull()
    const cookie = (await post()).headers.get('set-cookie')?.split(';')[0] ?? ''
    expect(await (await post(cookie)).json()).toEqual(['tea', 'tea'])

    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.slice(-2)).toEqual(['2 in the cart: closed', '1 ended, 0 failed'])
  })
})

describe('examples/fastify.ts', () => {
  it('streams, has the status of an early error, and closes at SIGTERM', async () => {
    const { running, send } = await startServer('examples/fastify.ts')

    expect(await partsOf(await send('/chat/ada/stream', saying('hello')))).toEqual(['You said: ', 'hello'])
    await expectFullQueue(() => send('/chat/ben/stream', saying('hello')))
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toBe('2 ended, 0 failed')
  })
})

describe('examples/koa.ts', () => {
  it('streams, has the status of a call that is refused, and closes at SIGTERM', async () => {
    const { running, send } = await startServer('examples/koa.ts')

    expect(await partsOf(await send('/ada?message=hello'))).toEqual(['You said: ', 'hello'])
    await expectFullQueue(() => send('/ben?message=hello'))
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toBe('2 ended, 0 failed')
  })
})

/** How many messages of one visitor wait while the process is told to stop, and how each is answered. */
const queues: Readonly<Record<string, Queue>> = {
  'examples/express.ts': {
    url: '/chat/ada',
    message: manyWords,
    count: 4,
    answer: /^\{"reply":"You said: (word ){20}"\}$/,
    other: ['/chat/ben', 'GET', 404],
  },
  'examples/fastify.ts': {
    url: '/chat/ada/stream',
    message: 'hello',
    count: 10,
    answer: /^data: "You said: "\n\ndata: "hello"\n\n$/,
    other: ['/chat/ben/stream', 'POST', 200],
  },
  'examples/koa.ts': {
    url: '/ada?message=hello',
    message: 'hello',
    count: 10,
    answer: /data: "You said: "\n\ndata: "hello"\n\n$/,
    other: ['/ben?message=hello', 'POST', 200],
  },
  'examples/shutdown.ts': {
    url: '/',
    message: 'hello',
    count: 4,
    answer: /^visit \d\n$/,
    other: ['/', 'POST', 400],
  },
}

interface Queue {
  readonly url: string
  readonly message: string
  readonly count: number
  readonly answer: RegExp
  /** A request that does not wait for the others. */
  readonly other: readonly [url: string, method: string, status: number]
}

describe('SIGTERM while messages of one visitor wait for their turn', () => {
  it.each(Object.entries(queues))('all are answered: %s', async (path, { url, message, count, ...queue }) => {
    const { running, send, post } = await startServer(path, { cwd: testFolder() })
    const cookie = 'sid=6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
    const posts = Array.from({ length: count }, () => post(url, message, { cookie }))
    let answered = 0
    for (const { answer } of posts) answer.then(() => (answered += 1))
    await Promise.all(posts.map(({ sent }) => sent))
    // The server reads requests in the order in which they come.
    const [otherUrl, method, status] = queue.other
    const init = method === 'GET' ? { method } : saying('hello')
    expect((await send(otherUrl, init)).status).toBe(status)
    running.child.kill('SIGTERM')
    const answeredBefore = answered
    const answers = await Promise.all(posts.map(({ answer }) => answer))

    expect(answers).toEqual(
      Array.from({ length: count }, () => ({ status: 200, body: expect.stringMatching(queue.answer) })),
    )
    expect(answeredBefore).toBeLessThan(count - 1)
    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toMatch(/^[12] ended, 0 failed$/)
  })
})
