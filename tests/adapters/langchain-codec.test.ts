import { createRequire } from 'node:module'
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  FunctionMessageChunk,
  HumanMessage,
  HumanMessageChunk,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
} from '@langchain/core/messages'
import { SessionRegistry } from 'session-registry'
import { messageCodec, messageHistories } from 'session-registry/langchain'
import { describe, expect, it } from 'vitest'
import { sessionError, thrownBy } from '../support/session-error.ts'
import { transcript } from '../support/transcript.ts'

const roundTrip = (messages: readonly BaseMessage[]) => messageCodec.decode(messageCodec.encode(messages))

const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 }

const every: readonly BaseMessage[] = [
  new HumanMessage('hello'),
  new HumanMessage({ content: 'hello', id: 'h1', name: 'Ada', additional_kwargs: { a_b: 1, cD: 2 } }),
  new HumanMessageChunk('hel'),
  new SystemMessage('be kind'),
  new SystemMessageChunk('be'),
  new AIMessage('hi'),
  new AIMessage({
    content: [{ type: 'text', text: 'let me see' }],
    tool_calls: [{ name: 'weather', args: { city: 'Oslo' }, id: 't1', type: 'tool_call' }],
    invalid_tool_calls: [{ name: 'weather', args: '{', id: 't2', error: 'no JSON' }],
    usage_metadata: usage,
    response_metadata: { model_provider: 'none', logprobs: null, nested: { deep: [1, { two: 2 }] } },
  } as never),
  new AIMessage({ contentBlocks: [{ type: 'text', text: 'blocks' }] }),
  new AIMessageChunk({ content: 'h', usage_metadata: usage } as never),
  new AIMessageChunk({
    content: '',
    tool_call_chunks: [{ name: 'weather', args: '{"city":"Os', id: 't1', index: 0 }],
  }),
  new ToolMessage({ content: 'sunny', tool_call_id: 't1', status: 'success', artifact: { degrees: 21 } }),
  new ToolMessageChunk({ content: 'sun', tool_call_id: 't1' }),
  new ChatMessage({ content: 'x', role: 'critic' }),
  new ChatMessageChunk({ content: 'x', role: 'critic' }),
  new FunctionMessage({ content: '{}', name: 'f' }),
  new FunctionMessageChunk({ content: '{', name: 'f' }),
  new RemoveMessage({ id: 'h1' }),
]

describe('messageCodec', () => {
  it.each(every.map((message) => [message.constructor.name, message] as const))(
    'restores a %s',
    (_name, message) => {
      const [back] = roundTrip([message])
      expect(back).toStrictEqual(message)
      expect(back?.constructor).toBe(message.constructor)
      expect(back?.toJSON()).toEqual(message.toJSON())
      // And again: what came back is as good as what was there.
      expect(roundTrip(roundTrip([message]))).toStrictEqual([message])
    },
  )

  it('keeps the order and the number of messages, zero too', () => {
    expect(roundTrip(every)).toStrictEqual(every)
    expect(roundTrip([])).toEqual([])
  })

  it.each([
    ['bytes', new Uint8Array([0, 1, 127, 128, 255])],
    ['a window onto larger bytes', new Uint8Array([9, 1, 2, 9]).subarray(1, 3)],
    ['a Buffer', Buffer.from('hällo')],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['floats', new Float32Array([0.5, Number.NaN, Number.NEGATIVE_INFINITY])],
    ['a date', new Date(1_700_000_000_000)],
    ['no valid date', new Date(Number.NaN)],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ b: 2 }, new Uint8Array([3])],
      ]),
    ],
    ['a set', new Set([1, 'two', new Date(3)])],
    ['a bigint', 2n ** 70n],
    ['NaN', Number.NaN],
    ['infinities', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['a message in a message', [new AIMessageChunk('inside')]],
    ['an object that looks like our own words', { $is: 'map', of: [['x', { $is: 'parts' }]] }],
    [
      "an object that looks like LangChain's own words",
      { lc: 1, type: 'constructor', id: ['a'], kwargs: {} },
    ],
    ['awkward keys', JSON.parse('{"__proto__": 1, "constructor": 2, "": 3}')],
    ['emoji and lone surrogates', 'A😀\ud800\u2028'],
  ])('preserves %s inside a message', (_name, value) => {
    const message = new ToolMessage({ content: 'see', tool_call_id: 't', artifact: { value } })
    const [back] = roundTrip([message]) as [ToolMessage]
    expect(back.artifact).toStrictEqual({ value })
  })

  it('preserves the bytes of a picture in the content', () => {
    const content = [{ type: 'image', mimeType: 'image/png', data: new Uint8Array([137, 80, 78, 71]) }]
    expect(roundTrip([new HumanMessage({ content: content as never })])[0]?.content).toStrictEqual(content)
  })

  it('restores a class of the user as the LangChain class that it extends', () => {
    class Shout extends HumanMessage {}
    const [back] = roundTrip([new Shout('HELLO')])
    expect(back?.constructor).toBe(HumanMessage)
    expect(back?.content).toBe('HELLO')
  })

  it('accepts the messages of the other build of LangChain, and so do histories', async () => {
    const other: typeof import('@langchain/core/messages') = createRequire(import.meta.url)(
      '@langchain/core/messages',
    )
    expect(other.HumanMessage).not.toBe(HumanMessage)
    const [back] = roundTrip([new other.HumanMessage('hello')])
    expect(back?.constructor).toBe(HumanMessage)
    const registry = new SessionRegistry<BaseMessage[]>({ create: () => [] })
    await messageHistories(registry)('ada').addMessage(new other.HumanMessage('hello'))
    expect(transcript(registry.get('ada'))).toEqual(['human:hello'])
  })

  it.each([
    ['no JSON', 'hello'],
    [
      'a class that is not known',
      '[{"$is":"parts","of":{"class":"constructor","fields":{},"given":[],"others":{}}}]',
    ],
    ['a kind that is not known', '[{"$is":"constructor","of":""}]'],
    ['parts of nothing', '[{"$is":"parts","of":null}]'],
    ['no list', '{}'],
    ['one message alone', messageCodec.encode([new HumanMessage('secret')]).slice(1, -1)],
    ['null', 'null'],
    ['a list of something else', '["secret"]'],
    ['something else behind a message', `${messageCodec.encode([new HumanMessage('')]).slice(0, -1)},{}]`],
  ])('refuses a text with %s, and names the reason', (_name, text) => {
    const error = thrownBy(() => messageCodec.decode(text)) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toBe('Expected `text` to be a list of messages as `messageCodec` writes it')
    expect(error.cause).toBeInstanceOf(Error)
  })

  it.each([
    ['nothing', undefined, '`value` to be an array of LangChain messages, got undefined'],
    ['null', null, '`value` to be an array of LangChain messages, got null'],
    ['a text', 'secret', '`value` to be an array of LangChain messages, got a string'],
    [
      'one message',
      new HumanMessage('secret'),
      '`value` to be an array of LangChain messages, got an object',
    ],
    ['a text in a list', ['secret'], '`value[0]` to be a LangChain message, got a string'],
    [
      'the shape of a message, behind a message',
      [new HumanMessage('hi'), { role: 'user', content: 'secret' }],
      '`value[1]` to be a LangChain message, got an object',
    ],
    ['a hole', new Array(1), '`value[0]` to be a LangChain message, got undefined'],
  ])('refuses to encode %s', (_name, value, words) => {
    const error = thrownBy(() => messageCodec.encode(value as never)) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toBe(`Expected ${words}`)
  })

  it('refuses to encode a message of an unknown class, and names the reason', () => {
    const error = thrownBy(() => messageCodec.encode([{ _getType: () => 'human', lc_kwargs: {} } as never]))
    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect((error as Error).cause).toBeInstanceOf(TypeError)
  })
})
