import {
  convertToModelMessages,
  createUIMessageStream,
  createUIMessageStreamResponse,
  generateId,
  streamText,
  toUIMessageStream,
  type UIMessage,
  type UIMessageChunk,
} from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { SessionRegistry } from 'session-registry'
import { type ChatStore, chatStore } from 'session-registry/ai-sdk'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Deferred, deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { settle } from '../support/settle.ts'
import { echoModel } from './echo-language-model.ts'

const user = (text: string): UIMessage => ({ id: text, role: 'user', parts: [{ type: 'text', text }] })

function linesOf(messages: readonly UIMessage[]): string[] {
  return messages.map(({ role, parts }) => {
    return `${role}: ${parts.map((part) => (part.type === 'text' ? part.text : '')).join('')}`
  })
}

/** The handler of the SDK's guide on message persistence: load, ask, save the whole list at the end. */
async function stockPost(store: ChatStore<UIMessage>, model: MockLanguageModelV4, text: string) {
  const messages = [...(await store.loadChat('a')), user(text)]
  const result = streamText({ model, messages: await convertToModelMessages(messages) })
  return createUIMessageStreamResponse({
    stream: toUIMessageStream({
      stream: result.stream,
      originalMessages: messages,
      generateMessageId: generateId,
      onEnd: ({ messages }) => store.saveChat({ chatId: 'a', messages }),
    }),
  })
}

function make(options: { readonly maxTurnMs?: number } = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<UIMessage[]>({ clock, create: () => [], ...options })
  const store = chatStore(sessions)
  const turns: Promise<void>[] = []
  const stored = async () => linesOf(await store.loadChat('a'))

  /**
   * The handler of docs/frameworks/ai-sdk.md, as one turn: load, save the question, ask, pump and save the
   * answer inside it.
   */
  async function turn(
    model: MockLanguageModelV4,
    text: string,
    pump: (stream: ReadableStream<UIMessageChunk>, signal: AbortSignal) => Promise<void>,
    left?: AbortSignal,
  ): Promise<void> {
    const work = sessions.run('a', async (_session, signal) => {
      const messages = [...(await store.loadChat('a')), user(text)]
      await store.saveChat({ chatId: 'a', messages })
      const result = streamText({
        model,
        messages: await convertToModelMessages(messages, { ignoreIncompleteToolCalls: true }),
        abortSignal: left === undefined ? signal : AbortSignal.any([signal, left]),
      })
      const stream = toUIMessageStream({
        stream: result.stream,
        originalMessages: messages,
        generateMessageId: generateId,
        onEnd: ({ messages }) => store.saveChat({ chatId: 'a', messages }),
      })
      await pump(stream, signal)
    })
    turns.push(work)
    await work
  }

  /** Goes on to the end of the answer, whether anybody reads it or not. */
  function post(model: MockLanguageModelV4, text: string, left?: AbortSignal): Response {
    const stream = createUIMessageStream({
      execute: ({ writer }) => {
        const pump = async (chunks: ReadableStream<UIMessageChunk>) => {
          for await (const chunk of chunks) writer.write(chunk)
        }
        return turn(model, text, pump, left)
      },
      onError: () => 'failed',
    })
    return createUIMessageStreamResponse({ stream })
  }

  /** Stops the model when the reader cancels. */
  function pipedPost(model: MockLanguageModelV4, text: string): Response {
    const { readable, writable } = new TransformStream<UIMessageChunk, UIMessageChunk>()
    const pump = (chunks: ReadableStream<UIMessageChunk>, signal: AbortSignal) =>
      chunks.pipeTo(writable, { signal })
    observe(turn(model, text, pump))
    return createUIMessageStreamResponse({ stream: readable })
  }

  return { clock, sessions, store, turns, stored, post, pipedPost }
}

/** A store over a bare `Map`, as the guide has it over files. */
function mapStore() {
  const chats = new Map<string, UIMessage[]>()
  const store: ChatStore<UIMessage> = {
    loadChat: async (id) => chats.get(String(id)) ?? [],
    saveChat: async ({ chatId, messages }) => {
      chats.set(String(chatId), [...messages])
    },
  }
  return { store, stored: () => linesOf(chats.get('a') ?? []) }
}

describe('the AI SDK over the registry', () => {
  it('passes the history of earlier posts to each post', async () => {
    const { post, stored, turns } = make()
    const model = echoModel()
    const first = await post(model, 'one').text()
    const second = await post(model, 'two').text()
    await Promise.all(turns)

    expect(first).toContain('I see 1')
    expect(second).toContain('I see 3')
    expect(await stored()).toEqual([
      'user: one',
      'assistant: one? I see 1',
      'user: two',
      'assistant: two? I see 3',
    ])
  })

  it('works as in the SDK’s guide if posts do not overlap', async () => {
    const { store, stored } = make()
    const model = echoModel()
    await (await stockPost(store, model, 'one')).text()
    await (await stockPost(store, model, 'two')).text()

    expect(await stored()).toEqual([
      'user: one',
      'assistant: one? I see 1',
      'user: two',
      'assistant: two? I see 3',
    ])
  })

  it('loses no answer of two concurrent posts, where the guide’s handler loses one', async () => {
    const stock = mapStore()
    const { post, stored, turns } = make()
    const slow = deferred()
    const model = echoModel({ slow: { beforeChunk: 2, open: slow.promise } })
    const first = (await stockPost(stock.store, model, 'slow')).text()
    const inTurn = post(model, 'slow').text()
    await settle()
    const second = (await stockPost(stock.store, model, 'fast')).text()
    const afterwards = post(model, 'fast').text()
    await second
    slow.resolve()
    await Promise.all([first, inTurn, afterwards, ...turns])

    expect(stock.stored()).toEqual(['user: slow', 'assistant: slow? I see 1'])
    expect(await stored()).toEqual([
      'user: slow',
      'assistant: slow? I see 1',
      'user: fast',
      'assistant: fast? I see 3',
    ])
  })

  it.each([
    ['before the first chunk', 0, ['user: gone']],
    ['before the text', 1, ['user: gone']],
    ['before the first word', 2, ['user: gone']],
    ['in the middle', 3, ['user: gone', 'assistant: gone? ']],
  ])(
    'keeps the partial answer of a stream cancelled %s, and the next turn starts',
    async (_when, beforeChunk, kept) => {
      const { post, pipedPost, stored, turns } = make()
      const model = echoModel({ gone: { beforeChunk, open: deferred().promise } })
      const response = pipedPost(model, 'gone')
      await settle()
      const next = post(model, 'next')
      await response.body?.cancel('left')
      await next.text()
      await Promise.allSettled(turns)

      expect(await stored()).toEqual([...kept, 'user: next', `assistant: next? I see ${kept.length + 1}`])
    },
  )

  it('keeps the partial answer of an aborted request', async () => {
    const { post, stored, turns } = make()
    const request = new AbortController()
    const model = echoModel({ gone: { beforeChunk: 3, open: deferred().promise } })
    const body = post(model, 'gone', request.signal).text()
    await settle()
    request.abort()
    await body
    await Promise.all(turns)

    expect(await stored()).toEqual(['user: gone', 'assistant: gone? '])
  })

  it('completes and keeps an answer whose reader has left', async () => {
    const { post, stored, turns } = make()
    const gate = deferred()
    const response = post(echoModel({ gone: { beforeChunk: 3, open: gate.promise } }), 'gone')
    await settle()
    await response.body?.cancel('left')
    gate.resolve()
    await Promise.all(turns)

    expect(await stored()).toEqual(['user: gone', 'assistant: gone? I see 1'])
  })

  it('saves no empty answer if a stream of the guide’s handler is cancelled', async () => {
    const stock = mapStore()
    const { store, stored } = make()
    const model = echoModel({ gone: { beforeChunk: 2, open: deferred().promise } })
    for (const one of [stock.store, store]) {
      const response = await stockPost(one, model, 'gone')
      await settle()
      await response.body?.cancel('left')
      await settle()
    }

    expect(stock.stored()).toEqual(['user: gone', 'assistant: '])
    expect(await stored()).toEqual(['user: gone'])
  })

  it('keeps the question if the model fails', async () => {
    const { post, stored, turns, sessions } = make()
    const model = new MockLanguageModelV4({
      doStream: async () => {
        throw new Error('the model is overloaded')
      },
    })
    // Where `streamText` says so by default.
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => log.mockRestore())
    const response = await post(model, 'one').text()
    await Promise.all(turns)

    expect(response).toContain('error')
    expect(await stored()).toEqual(['user: one'])
    expect(sessions.peek('a')?.held).toBe(false)
  })

  it('writes into the live session if the old one expired during a stream outside a turn', async () => {
    const { clock, store, stored, sessions } = make()
    const gate: Deferred<void> = deferred()
    const model = echoModel({ slow: { beforeChunk: 2, open: gate.promise } })
    await store.saveChat({ chatId: 'a', messages: [user('before')] })
    const response = await stockPost(store, model, 'slow')
    clock.advance(20 * 60_000)
    expect(sessions.has('a')).toBe(false)
    gate.resolve()
    await response.text()

    expect(await stored()).toEqual(['user: before', 'user: slow', 'assistant: slow? I see 2'])
  })

  it('ends a stream at the turn limit, and keeps the answer so far', async () => {
    const { clock, sessions, post, store, turns } = make({ maxTurnMs: 1_000 })
    await store.saveChat({ chatId: 'a', messages: [user('before')] })
    const model = echoModel({ stuck: { beforeChunk: 3, open: deferred().promise } })
    const body = observe(post(model, 'stuck').text())
    const turn = observe(turns[0] as Promise<void>)
    await settle()
    await clock.advanceAsync(1_000)
    await turn.settled

    // The SDK ends its stream when the signal aborts, and `onEnd` saves: the turn has its grace for that.
    expect(turn.state).toBe('fulfilled')
    await body.settled
    expect(body.value).toContain('"type":"abort"')
    expect(linesOf(await store.loadChat('a'))).toEqual(['user: before', 'user: stuck', 'assistant: stuck? '])
    expect(sessions.peek('a')?.held).toBe(false)
  })
})
