import { type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { Runnable, RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { SpanStatusCode } from '@opentelemetry/api'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'
import { instrument } from 'session-registry/opentelemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failureOf } from '../support/session-error.ts'
import { Telemetry } from '../support/telemetry.ts'
import { transcript } from '../support/transcript.ts'

const ada = { configurable: { sessionId: 'ada' } }

function setUp(options: SessionRegistryOptions<BaseMessage[]> = {}) {
  const telemetry = new Telemetry()
  const registry = new SessionRegistry<BaseMessage[]>({ create: () => [], ...options })
  onTestFinished(instrument(registry, telemetry.providers))
  const failed = () =>
    telemetry.spans.map(({ status, attributes }) =>
      status.code === SpanStatusCode.ERROR ? attributes['error.type'] : undefined,
    )
  return { registry, failed }
}

/** A runnable that streams two chunks, and then waits for its signal. It may write to a history before. */
class Endless extends Runnable<string, string> {
  readonly lc_namespace = ['tests']
  readonly #begin: () => Promise<unknown>

  constructor(begin: () => Promise<unknown> = async () => {}) {
    super()
    this.#begin = begin
  }

  override async invoke(input: string): Promise<string> {
    return input
  }

  override async *_streamIterator(
    _input: string,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<string> {
    await this.#begin()
    yield 'a'
    yield 'b'
    signal?.throwIfAborted()
    await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
}

describe('a LangChain stream left early', () => {
  it('is a turn that has not failed: with a history, and of a model that is stopped by the signal', async () => {
    const { registry, failed } = setUp()
    const runnable = new FakeListChatModel({ responses: ['one'] })
    const getMessageHistory = messageHistories(registry)
    const chat = withSessionTurns(registry, new RunnableWithMessageHistory({ runnable, getMessageHistory }))
    for await (const _chunk of await chat.stream([new HumanMessage('hello')], ada)) break
    expect(registry.get('ada')).toEqual([])

    const stream = await withSessionTurns(registry, new Endless()).stream('x', ada)
    await stream.next()
    await stream.next()
    const waiting = stream.next()
    await stream.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    // The turn of each stream, and the read of the history in the first.
    expect(failed()).toEqual([undefined, undefined, undefined])
  })

  it('is a turn that has not failed, in a pipe too', async () => {
    const { registry, failed } = setUp()
    const chat = withSessionTurns(registry, new Endless()).pipe(new StringOutputParser())
    for await (const _text of await chat.stream('x', ada)) break
    expect(failed()).toEqual([undefined])
  })

  it('keeps what the turn has stored before, and rolls nothing back', async () => {
    const { registry, failed } = setUp({ rollback: true })
    const question = () => messageHistories(registry)('ada').addMessages([new HumanMessage('hello')])
    for await (const _chunk of await withSessionTurns(registry, new Endless(question)).stream('x', ada)) break

    expect(transcript(registry.get('ada'))).toEqual(['human:hello'])
    expect(failed().every((type) => type === undefined)).toBe(true)
  })
})

describe('a LangChain stream that is not left', () => {
  it('is a failed turn if its runnable fails, or the caller aborts', async () => {
    const { registry, failed } = setUp()
    const broken = RunnableLambda.from<string, string>(() => {
      throw new TypeError('no model today')
    })
    const failing = await withSessionTurns(registry, broken).stream('x', ada)
    expect(await failureOf(() => failing.next())).toBeInstanceOf(TypeError)
    expect(failed()).toEqual(['TypeError'])

    const caller = new AbortController()
    const config = { ...ada, signal: caller.signal }
    const aborted = await withSessionTurns(registry, new Endless()).stream('x', config)
    await aborted.next()
    caller.abort()
    expect(await failureOf(() => aborted.next())).toMatchObject({ name: 'AbortError' })
    expect(failed()).toEqual(['TypeError', 'AbortError'])
  })
})
