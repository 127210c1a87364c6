import {
  AIMessage,
  AIMessageChunk,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages'
import { MemorySaver } from '@langchain/langgraph'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { pack } from '../../src/adapters/langgraph/packed.ts'
import { revive, unknownForm } from '../../src/adapters/langgraph/revive.ts'
import { Serializer } from '../../src/adapters/langgraph/serializer.ts'
import fc from '../support/fast-check.ts'

const { serde } = new MemorySaver()
const serializer = new Serializer(serde, true)

const Human = HumanMessage
const messages = [
  new HumanMessage('häl\u2028lo \ud800'),
  new HumanMessage({ content: [{ type: 'text', text: 'a' }], name: 'ada', id: '1' }),
  new AIMessage({
    content: '',
    tool_calls: [
      { name: 'add', args: { a: [1, null, undefined], b: undefined }, id: 'c', type: 'tool_call' },
    ],
    usage_metadata: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    response_metadata: { finish_reason: 'stop', model_name: 'm', nested: { camelCase: 1, snake_case: 2 } },
    additional_kwargs: { tool_calls: [] },
  } as never),
  new AIMessageChunk({ content: 'a', tool_call_chunks: [{ name: 'add', args: '{"a":', index: 0 }] }),
  new ToolMessage({ content: 'b', tool_call_id: 'c', artifact: { rows: [1] }, status: 'error' }),
  new SystemMessage('be kind'),
  new ChatMessage({ content: 'c', role: 'critic' }),
  new FunctionMessage({ content: 'd', name: 'add' }),
]

/** Returns the value that a reader makes of a text, or that it fails, with the classes of what is in it. */
async function formOf(read: () => Promise<unknown>): Promise<unknown> {
  try {
    const value = await read()
    return { value, classes: classesIn(value) }
  } catch {
    return 'failed'
  }
}

function classesIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value
  const own = Object.values(value).map(classesIn)
  return [Object.getPrototypeOf(value)?.constructor, Reflect.ownKeys(value), own]
}

const bothForms = (text: string) => {
  const packed = { type: 'json', isBinary: false, text }
  const stock = () => serde.loadsTyped('json', new TextEncoder().encode(text))
  return Promise.all([formOf(() => serializer.unpack(packed)), formOf(stock)])
}

describe('what is read of a stored text', () => {
  it('is what the serializer itself reads: each kind of message, alone and in a list', async () => {
    for (const value of [
      ...messages,
      messages,
      { messages },
      [messages],
      [[messages[0]], { a: messages[1] }],
    ]) {
      const { text } = await pack(serde, 'value', value)
      const [ours, stock] = await bothForms(text)
      expect(ours).toEqual(stock)
      expect(ours).not.toBe('failed')
    }
  })

  it('of plain data and of messages does not pass through the serializer', async () => {
    // The first read of all looks at what the serializer makes.
    await serializer.unpack({ type: 'json', isBinary: false, text: '1' })
    const loads = vi.spyOn(serde, 'loadsTyped')
    const { text } = await pack(serde, 'value', [...messages, { a: [1, undefined] }])
    await serializer.unpack({ type: 'json', isBinary: false, text })
    expect(loads.mock.calls.map(([, bytes]) => String(bytes))).toEqual([])
    loads.mockRestore()
  })

  it('is what the serializer makes of it, if that has another copy of the classes', async () => {
    const OtherMessage = class HumanMessage extends Human {}
    const other = {
      dumpsTyped: serde.dumpsTyped,
      loadsTyped: async (_type: string, bytes: Uint8Array) =>
        JSON.parse(Buffer.from(bytes).toString()).map(() => new OtherMessage('of the copy')),
    }
    const { text } = await pack(serde, 'value', [new HumanMessage('a')])
    const read = await new Serializer(other, true).unpack<unknown[]>({ type: 'json', isBinary: false, text })

    expect(read.map((one) => Object.getPrototypeOf(one))).toEqual([OtherMessage.prototype])
  })

  it('property: is what the serializer itself reads, for any JSON, forged forms included', async () => {
    // The class of answers warns of tool calls in a place of former times.
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const word = fc.constantFrom(
      ...['lc', 'type', 'id', 'kwargs', 'constructor', 'undefined', '__lc_escaped__', 'value'],
      ...[
        'content',
        'additional_kwargs',
        'tool_calls',
        'someKey',
        'some_key',
        'toJSON',
        'method',
        'args',
        'x',
      ],
    )
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.oneof(word, fc.constantFrom(1, 2, null, true, 0.5), fc.string()),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(word, tie('json'), { maxKeys: 4, noNullPrototype: true }),
        fc.record({ lc: fc.constant(2), type: fc.constantFrom('undefined', 'constructor'), id: tie('json') }),
        fc.record({
          lc: fc.constantFrom(1, 1, 1, 2),
          type: fc.constantFrom('constructor', 'constructor', 'secret', 'not_implemented'),
          id: fc.oneof(
            ...['HumanMessage', 'AIMessage', 'ToolMessage', 'BaseMessage', 'Object'].map((name) =>
              fc.constant(['langchain_core', 'messages', name]),
            ),
            tie('json'),
          ),
          kwargs: fc.oneof(
            fc.record({ content: fc.string(), additional_kwargs: fc.dictionary(word, tie('json')) }),
            fc.dictionary(word, tie('json'), { maxKeys: 4, noNullPrototype: true }),
            tie('json'),
          ),
        }),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        const [ours, stock] = await bothForms(JSON.stringify(value))
        expect(ours).toEqual(stock)
      }),
      { numRuns: 3_000 },
    )
  }, 60_000)

  it.each([
    ['a key that is a prototype', '{"__proto__":{"a":1}}'],
    ['an escaped object', '{"__lc_escaped__":{"lc":1}}'],
    ['a secret', '{"lc":1,"type":"secret","id":["KEY"]}'],
    [
      'a class that is not a message',
      '{"lc":1,"type":"constructor","id":["langchain_core","x","Y"],"kwargs":{}}',
    ],
    [
      'a message in a message',
      JSON.stringify(new HumanMessage({ content: 'a', additional_kwargs: { m: messages } })),
    ],
    [
      'a field with the name of a member of all objects',
      JSON.stringify({ ...new HumanMessage('a').toJSON(), kwargs: { constructor: 1 } }),
    ],
    [
      'a field of another name',
      JSON.stringify({ ...new HumanMessage('a').toJSON(), kwargs: { some_field: 1 } }),
    ],
  ])('is left to the serializer: %s', (_what, text) => {
    expect(revive(JSON.parse(text))).toBe(unknownForm)
  })
})
