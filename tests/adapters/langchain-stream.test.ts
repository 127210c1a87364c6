import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { Runnable, RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { ObservedPromise } from '../support/observed-promise.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { transcript } from '../support/transcript.ts'

const ada = { configurable: { sessionId: 'ada' } }

function setUp(options: SessionRegistryOptions<BaseMessage[]> = {}) {
  const clock = new ManualClock()
  const registry = new SessionRegistry<BaseMessage[]>({ clock, create: () => [], ...options })
  const model = new FakeListChatModel({ responses: ['one', 'two', 'three'] })
  const chat = withSessionTurns(
    registry,
    new RunnableWithMessageHistory({ runnable: model, getMessageHistory: messageHistories(registry) }),
  )
  const isHeld = () => registry.peek('ada')?.held === true
  return { clock, registry, chat, isHeld }
}

/** A runnable of three chunks, the second of which waits for the test. It writes down how it ended. */
class Gated extends Runnable<string, string> {
  readonly lc_namespace = ['tests']
  readonly gate = deferred()
  readonly log: string[] = []

  override async invoke(input: string): Promise<string> {
    return input
  }

  override async *_streamIterator(input: string): AsyncGenerator<string> {
    this.log.push(`began ${input}`)
    try {
      yield 'a'
      await this.gate.promise
      yield 'b'
      yield 'c'
    } finally {
      this.log.push(`left ${input}`)
    }
  }
}

const said = async (stream: AsyncIterable<BaseMessage>) =>
  (await readAll(stream)).map(({ content }) => content).join('')

describe('a stream as a turn', () => {
  it('lasts from the call until it is read to its end; then messages are stored and the session is released', async () => {
    const { chat, registry, isHeld } = setUp()
    const stream = await chat.stream([new HumanMessage('hello')], ada)
    expect(isHeld()).toBe(true)
    const second = new ObservedPromise(chat.invoke([new HumanMessage('and')], ada))
    await settle()
    expect(second.state).toBe('pending')
    expect(await said(stream)).toBe('one')
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:one'])
    await second.settled
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:one', 'human:and', 'ai:two'])
    expect(isHeld()).toBe(false)
  })

  it('its session does not expire while it is read slowly', async () => {
    const { chat, registry, clock } = setUp({ timeoutMs: 1_000, maxTurnMs: 60_000 })
    for await (const _chunk of await chat.stream([new HumanMessage('hello')], ada)) clock.advance(5_000)
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:one'])
  })

  it('two of one session run one after the other, in any order of reading', async () => {
    const { chat, registry } = setUp()
    const streams = [
      await chat.stream([new HumanMessage('x')], ada),
      await chat.stream([new HumanMessage('y')], ada),
    ]
    expect(await Promise.all(streams.map(said))).toEqual(['one', 'two'])
    expect(transcript(registry.get('ada'))).toEqual(['human:x', 'ai:one', 'human:y', 'ai:two'])
  })

  it('does not read ahead of its reader', async () => {
    const { registry } = setUp()
    const seen: number[] = []
    const counting = RunnableLambda.from<string, number>(async function* () {
      for (let n = 1; n <= 10; n += 1) {
        seen.push(n)
        yield n
      }
    } as never)
    const stream = await withSessionTurns(registry, counting).stream('', ada)
    await stream.next()
    await stream.next()
    await settle()
    expect(seen.length).toBeLessThan(6)
    await stream.return()
  })

  it('writes inside it join it instead of waiting for it', async () => {
    const { chat, registry } = setUp()
    const stream = await registry.run('ada', async () => {
      const inner = await chat.stream([new HumanMessage('hello')], ada)
      return said(inner)
    })
    expect(stream).toBe('one')
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:one'])
  })
})

describe('a stream left early', () => {
  it('by `break`: releases the session, and the runnable’s stream has been left too', async () => {
    const { registry, isHeld } = setUp()
    const runnable = new Gated()
    runnable.gate.resolve()
    for await (const _chunk of await withSessionTurns(registry, runnable).stream('x', ada)) break
    expect(isHeld()).toBe(false)
    expect(runnable.log).toEqual(['began x', 'left x'])
  })

  it('stores nothing', async () => {
    const { chat, registry } = setUp()
    for await (const _chunk of await chat.stream([new HumanMessage('hello')], ada)) break
    await chat.invoke([new HumanMessage('again')], ada)
    expect(transcript(registry.get('ada'))).toEqual(['human:again', 'ai:two'])
  })

  it('at its last chunk: leaves nothing behind that is stored later, between other turns', async () => {
    const { registry } = setUp()
    const histories = messageHistories(registry)
    const answer = RunnableLambda.from<BaseMessage[], BaseMessage>(
      (messages) => new AIMessage(`${messages.length}`),
    )
    const stock = new RunnableWithMessageHistory({ runnable: answer, getMessageHistory: histories })
    const chat = withSessionTurns(registry, stock)
    const leave = async () => {
      for await (const _chunk of await chat.stream([new HumanMessage('left')], ada)) break
    }
    await Promise.all([leave(), chat.invoke([new HumanMessage('kept')], ada)])
    await settle()
    expect(transcript(registry.get('ada'))).toEqual(['human:kept', 'ai:1'])
  })

  it('with work that continues in the background: its writes are refused', async () => {
    const { registry } = setUp()
    const gate = deferred()
    const late = deferred<unknown>()
    const stubborn = RunnableLambda.from<string, string>(async function* () {
      yield 'a'
      await gate.promise
      late.resolve(await failureOf(() => messageHistories(registry)('ada').addUserMessage('late')))
    } as never)
    const stream = await withSessionTurns(registry, stubborn).stream('x', ada)
    await stream.next()
    await stream.return()
    gate.resolve()
    expect(await late.promise).toMatchObject({ name: 'AbortError' })
    expect(registry.get('ada')).toEqual([])
  })

  it.each(['return', 'cancel'] as const)('by `%s` before its first chunk', async (way) => {
    const { registry, isHeld } = setUp()
    const runnable = new Gated()
    const stream = await withSessionTurns(registry, runnable).stream('x', ada)
    await stream[way]()
    expect(isHeld()).toBe(false)
  })

  it('while the model is working: releases the session at once', async () => {
    const { registry, isHeld } = setUp()
    const runnable = new Gated()
    const stream = await withSessionTurns(registry, runnable).stream('x', ada)
    const reader = stream.getReader()
    expect((await reader.read()).value).toBe('a')
    const second = reader.read()
    await settle()
    await reader.cancel()
    expect(isHeld()).toBe(false)
    expect((await second).done).toBe(true)
  })

  it('while it waits for its turn: leaves the queue, and the runnable is never called', async () => {
    const { registry, isHeld } = setUp()
    const first = new Gated()
    const second = new Gated()
    const running = await withSessionTurns(registry, first).stream('x', ada)
    const waiting = await withSessionTurns(registry, second).stream('y', ada)
    await waiting.cancel()
    first.gate.resolve()
    expect(await readAll(running)).toEqual(['a', 'b', 'c'])
    expect(second.log).toEqual([])
    expect(isHeld()).toBe(false)
  })

  it('and one that is never read: are ended by `maxTurnMs` at the latest', async () => {
    const { registry, clock, isHeld } = setUp({ maxTurnMs: 500 })
    const runnable = new Gated()
    const stream = await withSessionTurns(registry, runnable).stream('x', ada)
    await settle()
    clock.advance(499)
    expect(isHeld()).toBe(true)
    clock.advance(1)
    // It obeys its signal, and so it needs no more of its grace than a moment.
    await settle()
    expect(isHeld()).toBe(false)
    expect(await failureOf(() => readAll(stream))).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })
})

describe('a stream that fails', () => {
  it('passes the error on and releases the session', async () => {
    const { registry, isHeld } = setUp()
    const failure = new Error('no model today')
    const runnable = new Gated()
    const stream = await withSessionTurns(registry, runnable).stream('x', ada)
    expect((await stream.next()).value).toBe('a')
    runnable.gate.reject(failure)
    expect(await failureOf(() => stream.next())).toBe(failure)
    expect(isHeld()).toBe(false)
  })

  it('fails if the caller aborts, also while it is not read', async () => {
    const { registry, isHeld } = setUp()
    const runnable = new Gated()
    runnable.gate.resolve()
    const controller = new AbortController()
    const stream = await withSessionTurns(registry, runnable).stream('x', {
      ...ada,
      signal: controller.signal,
    })
    await settle()
    controller.abort(new Error('gone'))
    await settle()
    expect(isHeld()).toBe(false)
    await failureOf(() => readAll(stream))
  })

  it('fails if its session is deleted meanwhile', async () => {
    const { registry } = setUp()
    const runnable = new Gated()
    runnable.gate.resolve()
    const stream = await withSessionTurns(registry, runnable).stream('x', ada)
    await stream.next()
    registry.delete('ada')
    await failureOf(() => readAll(stream))
    expect(registry.has('ada')).toBe(false)
  })

  it('is refused if the registry is closed', async () => {
    const { registry, chat } = setUp()
    await registry.close()
    const stream = await chat.stream([new HumanMessage('hello')], ada)
    expect(await failureOf(() => readAll(stream))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })
})

describe('LangChain’s composition of a runnable with turns', () => {
  it('`pipe`: streams through it, and leaving the pipe releases the session', async () => {
    const { chat, registry, isHeld } = setUp()
    const texts = chat.pipe(new StringOutputParser())
    expect((await readAll(await texts.stream([new HumanMessage('hello')], ada))).join('')).toBe('one')
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:one'])
    for await (const _text of await texts.stream([new HumanMessage('again')], ada)) break
    await settle()
    expect(isHeld()).toBe(false)
  })

  it('`withConfig`: binds a session', async () => {
    const { chat, registry } = setUp()
    const bound = chat.withConfig(ada)
    await bound.invoke([new HumanMessage('hello')])
    expect(await said(await bound.stream([new HumanMessage('and')]))).toBe('two')
    expect(registry.get('ada')).toHaveLength(4)
  })

  it('`streamEvents`: includes the inner runnable and is one turn', async () => {
    const { chat, registry, isHeld } = setUp()
    const events = await readAll(chat.streamEvents([new HumanMessage('hello')], { ...ada, version: 'v2' }))
    expect(events.filter(({ event }) => event === 'on_chat_model_stream')).toHaveLength('one'.length)
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:one'])
    for await (const _event of chat.streamEvents([new HumanMessage('left')], { ...ada, version: 'v2' })) break
    await settle()
    expect(isHeld()).toBe(false)
  })

  it('`withFallbacks`: uses another runnable if the turn failed', async () => {
    const { registry, isHeld } = setUp()
    const broken = RunnableLambda.from<string, string>(() => {
      throw new Error('no')
    })
    const safe = withSessionTurns(registry, broken).withFallbacks([RunnableLambda.from(() => 'instead')])
    expect(await safe.invoke('x', ada)).toBe('instead')
    expect(isHeld()).toBe(false)
  })
})
