import {
  convertToModelMessages,
  isStepCount,
  jsonSchema,
  streamText,
  type ToolSet,
  tool,
  toUIMessageStream,
  type UIMessage,
  type UIMessageChunk,
} from 'ai'
import type { MockLanguageModelV4 } from 'ai/test'
import { SessionRegistry } from 'session-registry'
import { chatStore } from 'session-registry/ai-sdk'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { readAll } from '../support/read-all.ts'
import { answering, calling } from './tool-calling-model.ts'

const user = (text: string): UIMessage => ({ id: text, role: 'user', parts: [{ type: 'text', text }] })

interface PartFields {
  readonly type: string
  readonly state?: string
  readonly output?: unknown
}

const day = 24 * 60 * 60 * 1_000

function make(tools: ToolSet, options: { readonly pausedTimeoutMs?: number } = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<UIMessage[]>({ clock, timeoutMs: 1_000, create: () => [] })
  const { loadChat, saveChat } = chatStore(sessions, options)

  /** One request: the client's newest message takes the place of the one with its id, as `useChat` has it. */
  function post(model: MockLanguageModelV4, message: UIMessage): Promise<UIMessageChunk[]> {
    return sessions.run('a', async (_session, signal) => {
      const before = await loadChat('a')
      const messages = [...before.filter(({ id }) => id !== message.id), message]
      await saveChat({ chatId: 'a', messages })
      const result = streamText({
        model,
        tools,
        stopWhen: isStepCount(5),
        messages: await convertToModelMessages(messages, { tools, ignoreIncompleteToolCalls: true }),
        abortSignal: signal,
      })
      const stream = toUIMessageStream({
        stream: result.stream,
        originalMessages: messages,
        generateMessageId: () => `answer ${messages.length}`,
        onEnd: (end) => saveChat({ chatId: 'a', messages: end.messages }),
      })
      return readAll(stream)
    })
  }

  const partsOf = async (index: number) => (await loadChat('a')).at(index)?.parts as PartFields[]
  return { clock, sessions, post, loadChat, saveChat, partsOf }
}

const anyInput = jsonSchema<object>({ type: 'object', properties: {} })

/** As decimal.js has them: a field that is a function, and a `toJSON`. */
class Decimal {
  readonly d = [2, 5000000]
  constructor() {
    Object.assign(this, { constructor: Decimal })
  }
  toJSON(): string {
    return '2.5'
  }
}

/** As MongoDB's driver has them. */
class ObjectId {
  readonly buffer = Buffer.from('66f0', 'hex')
  toJSON(): string {
    return this.buffer.toString('hex')
  }
}

describe('the result of a tool in a chat', () => {
  it.each<[what: string, output: () => unknown]>([
    ['a decimal', () => ({ price: new Decimal() })],
    ['a row with a method', () => ({ id: 1, save: () => {} })],
    ['a proxy', () => new Proxy({ id: 1 }, {})],
    ['a URL', () => new URL('https://example.org/a')],
    ['an ObjectId', () => [{ _id: new ObjectId() }]],
    ['an instance of a class with a `toJSON`', () => ({ row: { toJSON: () => ({ id: 1 }) } })],
    ['a date', () => ({ at: new Date(0) })],
  ])('%s is saved as the JSON sent to the browser', async (_what, output) => {
    const tools = { look: tool({ inputSchema: anyInput, execute: async () => output() }) }
    const { post, partsOf, loadChat } = make(tools)
    const chunks = await post(calling('look'), user('one'))
    const sent = chunks.find(({ type }) => type === 'tool-output-available') as { output?: unknown }

    const part = (await partsOf(-1)).find(({ type }) => type === 'tool-look')
    expect(part).toMatchObject({ state: 'output-available' })
    expect(part?.output).toStrictEqual(JSON.parse(JSON.stringify(sent.output)))
    // And the next question can be asked.
    await post(answering('fine'), user('two'))
    expect((await loadChat('a')).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
  })

  it('is saved even if JSON refuses it', async () => {
    const { saveChat, partsOf } = make({})
    const cycle: { name: string; self?: unknown } = { name: 'one' }
    cycle.self = cycle
    const part = { type: 'tool-look', toolCallId: '1', state: 'output-available', input: {} } as const
    const outputs = [
      cycle,
      7n,
      {
        get gone(): never {
          throw new Error('no')
        },
      },
    ]
    const parts = outputs.map((output) => ({ ...part, output }))
    await saveChat({ chatId: 'a', messages: [{ id: '1', role: 'assistant', parts }] })

    expect((await partsOf(0)).map(({ output }) => output)).toEqual([
      { name: 'one', self: '[Circular]' },
      '7',
      {},
    ])
  })
})

describe('a chat that waits for an approval', () => {
  const deleted: string[] = []
  const tools = {
    remove: tool({
      inputSchema: anyInput,
      needsApproval: true,
      execute: async () => {
        deleted.push('all')
        return 'removed'
      },
    }),
  }

  /** The message as the client sends it when the visitor has answered. */
  function answered(message: UIMessage | undefined, approved: boolean): UIMessage {
    const parts = message?.parts.map((part) =>
      'state' in part && part.state === 'approval-requested'
        ? { ...part, state: 'approval-responded', approval: { ...part.approval, approved } }
        : part,
    )
    return { ...message, parts } as UIMessage
  }

  it('idle timeout: seven days, alive one millisecond before, expired exactly at it', async () => {
    const { clock, sessions, post, partsOf } = make(tools)
    await post(calling('remove'), user('remove it'))
    expect((await partsOf(-1)).at(-1)).toMatchObject({ state: 'approval-requested' })

    expect(sessions.peek('a')?.timeoutMs).toBe(7 * day)
    clock.advance(7 * day - 1)
    expect(sessions.has('a')).toBe(true)
    clock.advance(1)
    expect(sessions.has('a')).toBe(false)
  })

  it.each([
    [true, 'output-available'],
    [false, 'output-denied'],
  ])('idle timeout: restored by the answer: %s', async (approved, state) => {
    const { sessions, post, partsOf, loadChat } = make(tools, { pausedTimeoutMs: 5_000 })
    await post(calling('remove'), user('remove it'))
    expect(sessions.peek('a')?.timeoutMs).toBe(5_000)
    await post(answering('Done.'), answered((await loadChat('a')).at(-1), approved))

    expect((await partsOf(-1)).map((part) => part.state ?? part.type)).toContain(state)
    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
  })

  it('idle timeout: restored by another question, which the model accepts', async () => {
    const { sessions, post, loadChat } = make(tools)
    await post(calling('remove'), user('remove it'))
    await post(answering('Kept.'), user('no, keep it'))

    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
    expect((await loadChat('a')).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
  })

  it('idle timeout: the session’s own is restored if it had one', async () => {
    const { sessions, post, loadChat } = make(tools)
    sessions.getOrCreate('a', () => [], { timeoutMs: 7_000 })
    await post(calling('remove'), user('remove it'))
    expect(sessions.peek('a')?.timeoutMs).toBe(7 * day)
    await post(answering('Done.'), answered((await loadChat('a')).at(-1), true))

    expect(sessions.peek('a')?.timeoutMs).toBe(7_000)
  })

  it('idle timeout: restored after a turn that was rolled back', async () => {
    const sessions = new SessionRegistry<UIMessage[]>({ timeoutMs: 1_000, create: () => [], rollback: true })
    const { saveChat } = chatStore(sessions)
    const asks = {
      type: 'tool-remove',
      toolCallId: '1',
      state: 'approval-requested',
      input: {},
      approval: { id: '1' },
    }
    const message = { id: '1', role: 'assistant', parts: [asks] } as UIMessage
    const failed = sessions.run('a', async () => {
      await saveChat({ chatId: 'a', messages: [message] })
      throw new Error('down')
    })
    await expect(failed).rejects.toThrow('down')
    expect(sessions.get('a')).toEqual([])
    await saveChat({ chatId: 'a', messages: [user('again')] })

    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
  })

  it('idle timeout: one assigned while not waiting stays', async () => {
    const { sessions, post } = make({})
    await post(answering('Hello.'), user('hello'))
    Object.assign(sessions.peek('a') as object, { timeoutMs: 9_000 })
    await post(answering('Hello.'), user('again'))

    expect(sessions.peek('a')?.timeoutMs).toBe(9_000)
  })
})

it('interrupted tool call: the chat accepts another question', async () => {
  const tools = { look: tool({ inputSchema: anyInput }) } as ToolSet
  const { post, saveChat, loadChat } = make(tools)
  const call = { type: 'tool-look', toolCallId: '1', state: 'input-available', input: {} } as const
  await saveChat({ chatId: 'a', messages: [user('one'), { id: '2', role: 'assistant', parts: [call] }] })
  const chunks = await post(answering('Here I am.'), user('still there?'))

  expect(chunks.map(({ type }) => type)).not.toContain('error')
  expect((await loadChat('a')).at(-1)?.parts).toContainEqual(
    expect.objectContaining({ type: 'text', text: 'Here I am.' }),
  )
})
