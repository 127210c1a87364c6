import { pino } from 'pino'
import { fileStore } from 'session-registry/stores/file'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Histories, historiesInRegistry } from '../../examples/chat-server/histories.ts'
import { eliza } from '../../examples/chat-server/responder.ts'
import { chatServer } from '../../examples/chat-server/server.ts'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { testFolder } from '../support/test-folder.ts'
import { Running } from './running.ts'

vi.setConfig({ testTimeout: 90_000 })

const logger = pino({ level: 'silent' })
const { clock } = clockedRegistry()
let histories: Histories
let app: ReturnType<typeof chatServer>

function serve(options: Parameters<typeof historiesInRegistry>[0] = {}) {
  histories = historiesInRegistry({ clock, timeoutMs: 60_000, intervalMs: 30_000, ...options })
  app = chatServer(histories, eliza(), logger)
}

function say(visitor: string, payload: unknown) {
  return app.inject({ method: 'POST', url: `/chat/${visitor}`, payload: payload as object })
}

beforeEach(() => serve())
afterEach(() => app.close())

describe('the chat server', () => {
  it('responds, and remembers what each visitor wrote', async () => {
    const first = await say('ada', { message: 'I am tired' })
    await say('bob', { message: 'hello' })
    const second = await say('ada', { message: 'because I need a holiday' })
    const read = await app.inject('/chat/ada')

    expect(first.statusCode).toBe(200)
    expect(first.json()).toEqual({ reply: 'How long have you been tired?', messages: 2 })
    expect(second.json().messages).toBe(4)
    expect(read.json().messages.map(({ role }: { role: string }) => role)).toEqual([
      'visitor',
      'bot',
      'visitor',
      'bot',
    ])
  })

  it('forgets a visitor after the idle timeout', async () => {
    await say('ada', { message: 'hello' })
    expect((await app.inject('/stats')).json()).toMatchObject({ size: 1, created: 1 })
    clock.advance(90_000)

    expect((await app.inject('/stats')).json()).toMatchObject({ size: 0, expired: 1 })
    expect((await app.inject('/chat/ada')).statusCode).toBe(404)
    expect((await say('ada', { message: 'hello' })).json().messages).toBe(2)
  })

  it('creates no session for a visitor who only reads', async () => {
    const response = await app.inject('/chat/stranger')

    expect(response.statusCode).toBe(404)
    expect(response.json()).toEqual({ error: 'no such session' })
    expect((await app.inject('/stats')).json().size).toBe(0)
  })

  it.each([
    ['no body', undefined],
    ['no message', {}],
    ['an empty message', { message: '' }],
    ['a message that is no text', { message: { text: 'hello' } }],
    ['a message that is too long', { message: 'x'.repeat(4_001) }],
  ])('refuses %s', async (_what, payload) => {
    const response = await say('ada', payload)

    expect(response.statusCode).toBe(400)
    expect(response.json().error).toEqual(expect.any(String))
    expect((await app.inject('/stats')).json().size).toBe(0)
  })

  it('refuses invalid JSON, and an id that is too long', async () => {
    const headers = { 'content-type': 'application/json' }
    const broken = await app.inject({ method: 'POST', url: '/chat/ada', headers, payload: '{"message"' })

    expect(broken.statusCode).toBe(400)
    expect((await say('x'.repeat(129), { message: 'hello' })).statusCode).not.toBe(200)
    expect((await app.inject('/chat/')).statusCode).toBe(400)
    expect((await app.inject('/nowhere')).statusCode).toBe(404)
  })

  it('accepts any text as an id', async () => {
    for (const visitor of ['__proto__', '👩‍👧', 'a b', '../..']) {
      const response = await say(encodeURIComponent(visitor), { message: 'hello' })
      expect([visitor, response.statusCode]).toEqual([visitor, 200])
    }
    expect((await app.inject('/stats')).json().size).toBe(4)
  })

  it('responds 503 without the reason at its cap', async () => {
    await app.close()
    serve({ maxSessions: 1, whenFull: 'reject' })
    await say('ada', { message: 'hello' })
    const response = await say('bob', { message: 'hello' })

    expect(response.statusCode).toBe(503)
    expect(response.json()).toEqual({ error: 'please try again later' })
  })

  it('continues from its store after a restart, without a shutdown', async () => {
    const store = new MemoryStore()
    await app.close()
    serve({ store })
    await say('ada', { message: 'hello' })
    const crashed = app
    serve({ store })

    expect((await app.inject('/chat/ada')).json().messages).toHaveLength(2)
    expect((await say('ada', { message: 'I am back' })).json().messages).toBe(4)
    await crashed.close()
  })
})

describe('the chat server as a process', () => {
  it('SIGTERM in the middle of a turn: answers, and writes the history before it exits', async () => {
    const folder = testFolder()
    const env = { PORT: '0', THINK_MS: '300', SESSIONS_FOLDER: folder, SAVE: 'end' }
    const running = new Running('examples/chat-server/main.ts', env)
    const [, address] = await running.printed(/Server listening at (http:[^"]+)/)
    const response = fetch(`${address}/chat/ada`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'I am tired' }),
    })
    await running.printed(/session created/)
    running.child.kill('SIGTERM')
    const { reply } = (await (await response).json()) as { reply: string }
    expect(await running.ended()).toBe(0)

    const stored = await fileStore(folder).get('ada', { signal: new AbortController().signal })
    expect(JSON.parse(stored?.text ?? '[]')).toEqual([
      { role: 'visitor', text: 'I am tired' },
      { role: 'bot', text: reply },
    ])
  })

  it('logs through one logger, shows no id and no message, and closes cleanly at SIGTERM', async () => {
    const running = new Running('examples/chat-server/main.ts', {
      PORT: '0',
      THINK_MS: '300',
      SESSIONS_FOLDER: testFolder(),
    })
    const [, address] = await running.printed(/Server listening at (http:[^"]+)/)
    const response = fetch(`${address}/chat/a-bearer-secret`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'something private' }),
    })
    await running.printed(/session created/)
    running.child.kill('SIGTERM')

    expect((await response).status).toBe(200)
    expect(await running.ended()).toBe(0)
    expect(running.lines.join()).not.toMatch(/a-bearer-secret|something private/)
    for (const line of running.lines)
      expect(JSON.parse(line)).toMatchObject({ level: 30, pid: running.child.pid })
  })
})
