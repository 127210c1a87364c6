import { describe, expect, it, vi } from 'vitest'
import { Running } from './running.ts'

// Each is a process that compiles itself first; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

async function start(path: string) {
  const running = new Running(path, { PORT: '0', NODE_ENV: 'production' })
  const [, port] = await running.printed(/(?:port: |127\.0\.0\.1:)(\d+)/)
  return {
    running,
    send: (url: string, { method = 'POST', ...options }: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${port}${url}`, {
        method,
        ...options,
        headers: { 'content-type': 'application/json', connection: 'close' },
      }),
  }
}

const saying = (message: string): RequestInit => ({ body: JSON.stringify({ message }) })

/** The parts of a stream of server-sent events. */
const partsOf = async (response: Response) =>
  Array.from((await response.text()).matchAll(/^data: (.*)$/gm), ([, json = '']) => JSON.parse(json))

describe('examples/express.ts', () => {
  it('answers in turns, streams, keeps what a visitor who leaves was told, and closes at SIGTERM', async () => {
    const { running, send } = await start('examples/express.ts')
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
    const { send } = await start('examples/express.ts')
    const sent = Array.from({ length: 14 }, (_, i) =>
      send(i % 2 === 0 ? '/chat/ada' : '/chat/ada/stream', saying('word '.repeat(20))),
    )
    const statuses = (await Promise.all(sent)).map(({ status }) => status)

    expect(statuses.filter((status) => status === 200)).toHaveLength(11)
    expect(statuses.filter((status) => status === 429)).toHaveLength(3)
    expect((await send(`/chat/${'x'.repeat(1_100)}/stream`, saying('hello'))).status).toBe(400)
  })
})

describe('examples/fastify.ts', () => {
  it('streams, has the status of an early error, and closes at SIGTERM', async () => {
    const { running, send } = await start('examples/fastify.ts')

    expect(await partsOf(await send('/chat/ada/stream', saying('hello')))).toEqual(['You said: ', 'hello'])
    const sent = Array.from({ length: 14 }, () => send('/chat/ben/stream', saying('hello')))
    const statuses = (await Promise.all(sent)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 429)).toHaveLength(3)
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toBe('2 ended, 0 failed')
  })
})

describe('examples/koa.ts', () => {
  it('streams, has the status of a call that is refused, and closes at SIGTERM', async () => {
    const { running, send } = await start('examples/koa.ts')

    expect(await partsOf(await send('/ada?message=hello'))).toEqual(['You said: ', 'hello'])
    const sent = Array.from({ length: 14 }, () => send('/ben?message=hello'))
    const statuses = (await Promise.all(sent)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 429)).toHaveLength(3)
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toBe('2 ended, 0 failed')
  })
})
