import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { messageCodec } from 'session-registry/langchain'
import { describe, expect, it } from 'vitest'
import fc from '../support/fast-check.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const invalid = sessionError('ERR_SESSION_VALUE_INVALID')

const holding = (artifact: unknown) => [new ToolMessage({ content: 'see', tool_call_id: 't', artifact })]
const encoded = (artifact: unknown) => messageCodec.encode(holding(artifact))
const roundTrip = (artifact: unknown) => (messageCodec.decode(encoded(artifact))[0] as ToolMessage).artifact

/** An artifact whose innermost value is this many levels below the list of messages. */
function nested(levels: number, wrap: (inside: unknown) => unknown): unknown {
  let value: unknown = 'end'
  // The list and the message are the first two levels.
  for (let level = 2; level < levels; level += 1) value = wrap(value)
  return value
}

const wraps: [name: string, wrap: (inside: unknown) => unknown, own?: number][] = [
  ['lists', (inside) => [inside]],
  ['objects', (inside) => ({ a: inside })],
  ['maps', (inside) => new Map([['a', inside]])],
  ['keys of maps', (inside) => new Map([[inside, 'a']])],
  ['sets', (inside) => new Set([inside])],
  ['objects that look like tags', (inside) => ({ $is: inside })],
  // Even the innermost has objects of its own.
  ['messages', (inside) => new ToolMessage({ content: '', tool_call_id: 't', artifact: inside }), 1],
]

describe('messageCodec round trip', () => {
  it('property: any data in a message is restored equal, or refused', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: false,
      withUnicodeString: true,
      key: fc.oneof(fc.string(), fc.constantFrom('$is', 'of', '__proto__', 'toJSON', 'lc', 'constructor')),
    })
    fc.assert(
      fc.property(anything, (value) => {
        let text: string
        try {
          text = encoded({ value })
        } catch (error) {
          expect(error).toEqual(invalid)
          return
        }
        const [back] = messageCodec.decode(text) as [ToolMessage]
        expect(back.artifact).toEqual({ value })
        expect(messageCodec.encode([back])).toBe(text)
      }),
      { numRuns: 500 },
    )
  }, 60_000)

  it.each([
    [undefined],
    [-0],
    [[undefined, -0, Number.NaN]],
    [new Map([[undefined, -0]])],
    [new Set([undefined])],
  ])('preserves %j', (value) => {
    expect(roundTrip({ value })).toStrictEqual(value === undefined ? {} : { value })
  })

  it.each(wraps)(
    'accepts 500 levels of nesting in %s, and refuses one more when it encodes',
    (_name, wrap, own = 0) => {
      const fits = encoded(nested(500 - own, wrap))
      expect(messageCodec.encode(messageCodec.decode(fits))).toBe(fits)

      const error = thrownBy(() => encoded(nested(501 - own, wrap))) as Error
      expect(error).toEqual(invalid)
      expect(error.message).toMatch(/got more than 500 levels of nesting, or an object that contains itself$/)
      expect(error.message.length).toBeLessThan(400)
    },
  )

  it.each([
    ['lists', '['.repeat(501) + ']'.repeat(501)],
    ['a great many lists', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    ['objects', `[${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]`],
    ['tags', `[${'{"$is":"set","of":['.repeat(501)}${']}'.repeat(501)}]`],
  ])('refuses more levels of nesting in %s when it decodes, with a code', (_name, text) => {
    expect(thrownBy(() => messageCodec.decode(text))).toEqual(invalid)
  })

  it('refuses cycles', () => {
    const round: { round?: unknown } = {}
    round.round = round
    expect(thrownBy(() => encoded(round))).toEqual(invalid)
  })
})

describe('bytes in a message', () => {
  class Own extends Uint8Array {}
  class OwnBuffer extends Buffer {}

  it('are restored by their base class', () => {
    expect(roundTrip(new Own([1, 2]))).toStrictEqual(new Uint8Array([1, 2]))
    expect(Buffer.isBuffer(roundTrip(Object.setPrototypeOf(Buffer.from('x'), OwnBuffer.prototype)))).toBe(
      true,
    )
    expect(roundTrip(runInNewContext('new Float32Array([0.5])'))).toStrictEqual(new Float32Array([0.5]))
    expect(roundTrip(new Uint16Array(new SharedArrayBuffer(4), 2))).toStrictEqual(new Uint16Array(1))
  })

  it.each<[kind: string, value: object]>([
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2)],
    ['an instance of Error', new Error('secret')],
    ['an instance of TypeError', Object.assign(new TypeError('secret'), { code: 'secret' })],
    ['an instance of RegExp', /secret/],
    ['an instance of Promise', Promise.resolve('secret')],
    ['an instance of WeakMap', new WeakMap()],
    ['an instance of Headers', new Headers({ secret: 'secret' })],
    ['an instance of Empty', new (class Empty {})()],
  ])('are refused if they could not be decoded: %s', (kind, value) => {
    const error = thrownBy(() => encoded({ list: [0, value] })) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(
      `Expected \`value[0].artifact.list[1]\` to be data that can be written and read back, got ${kind}`,
    )
  })
})

describe('an instance in a message', () => {
  it('is restored as the result of its `toJSON`, even if that resembles a tag', () => {
    class Sneaky {
      toJSON(): unknown {
        return { $is: 'Buffer', of: { length: 2_000_000_000 } }
      }
    }
    expect(roundTrip({ a: new Sneaky(), b: new URL('https://example.org/a') })).toStrictEqual({
      a: { $is: 'Buffer', of: { length: 2_000_000_000 } },
      b: 'https://example.org/a',
    })
    expect(roundTrip({ toJSON: () => ({ $is: 'map', of: [[1, new Date(0)]] }) })).toStrictEqual({
      $is: 'map',
      of: [[1, new Date(0)]],
    })
    expect(roundTrip({ toJSON: () => [{ $is: 'bigint', of: '1' }] })).toStrictEqual([
      { $is: 'bigint', of: '1' },
    ])
  })

  it('without `toJSON`: is restored as its fields, without functions', () => {
    class Document {
      readonly pageContent = 'hello'
      readonly metadata = { at: new Date(0), own: () => {} }
    }
    expect(roundTrip([new Document(), Object(7)])).toStrictEqual([
      { pageContent: 'hello', metadata: { at: new Date(0) } },
      7,
    ])
  })

  it('of another realm: is restored as a plain object', () => {
    expect(roundTrip(runInNewContext('({ empty: {}, list: [new Map([[1, 2]])] })'))).toEqual({
      empty: {},
      list: [new Map([[1, 2]])],
    })
  })

  it('with a `toJSON` that throws: is refused with the cause', () => {
    const cause = new Error('secret')
    const fail = () => {
      throw cause
    }
    const error = thrownBy(() => encoded({ toJSON: fail })) as Error
    expect(error).toEqual(invalid)
    expect(error.cause).toBe(cause)
    expect(error.message).not.toContain('secret')
  })
})

describe('a text that messageCodec did not encode', () => {
  const inArtifact = (json: string) => encoded('here').replace('"here"', json)

  it.each([
    '{"$is":"Buffer","of":{"length":2000000000}}',
    '{"$is":"Buffer","of":2000000000}',
    '{"$is":"Uint8Array","of":{"type":"Buffer","data":{"length":2000000000}}}',
    '{"$is":"ArrayBuffer","of":["AAAA"]}',
    '{"$is":"DataView","of":"AAAA"}',
    '{"$is":"SharedArrayBuffer","of":"AAAA"}',
    '{"$is":"__proto__","of":"AAAA"}',
    '{"$is":["Buffer"],"of":"AAAA"}',
    '{"$is":"Uint16Array","of":"AAAA"}',
    '{"$is":"set","of":"secret"}',
    '{"$is":"set","of":{"length":2000000000}}',
    '{"$is":"map","of":["ab"]}',
    '{"$is":"map","of":[[1]]}',
    '{"$is":"map","of":null}',
    '{"$is":"object","of":[[{},1]]}',
    '{"$is":"object","of":{"a":1}}',
    '{"$is":"bigint","of":"1.5"}',
    '{"$is":"bigint","of":7}',
    '{"$is":"bigint","of":"0x10"}',
    '{"$is":"number","of":"7"}',
    '{"$is":"date","of":"1970"}',
    '{"$is":"date","of":{}}',
    '{"$is":"parts","of":[]}',
    '{"$is":"parts","of":{"class":"AIMessage"}}',
    '{"$is":"parts","of":{"class":"AIMessage","fields":[],"given":"x","others":{}}}',
    '{"$is":null}',
  ])('is refused: %s', (json) => {
    const error = thrownBy(() => messageCodec.decode(inArtifact(json))) as Error
    expect(error).toEqual(invalid)
    expect(`${error.message}${(error.cause as Error).message}`).not.toMatch(/secret|2000000000/)
  })

  it('does not change the prototype of a message', () => {
    const text = messageCodec
      .encode([new AIMessage('hi')])
      .replace('"fields":{', '"fields":{"__proto__":{"content":"other"},')
    const [message] = messageCodec.decode(text) as [BaseMessage]
    expect(message).toBeInstanceOf(AIMessage)
    expect(message.content).toBe('hi')
    expect(({} as { content?: unknown }).content).toBeUndefined()
  })

  it('needs no more memory than a few times its length', async () => {
    const script = fileURLToPath(new URL('../support/decoding-memory.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', script],
      {
        timeout: 50_000,
      },
    )
    const { failed, bytes } = JSON.parse(stdout)
    expect(failed).toBe(1)
    expect(bytes).toBeLessThan(50_000_000)
  }, 60_000)

  it('of the previous version, with fewer tags, is decoded', () => {
    const text =
      '[{"$is":"parts","of":{"class":"HumanMessage","fields":{"content":"hello","additional_kwargs":{"at":{"$is":"date","of":null},' +
      '"n":{"$is":"number","of":"NaN"},"m":{"$is":"map","of":[["a",{"$is":"set","of":[1]}]]},"o":{"$is":"object","of":[["$is","x"]]},' +
      '"b":{"$is":"Buffer","of":"aGk="}},"response_metadata":{}},"given":["content","additional_kwargs"],"others":{}}}]'
    const [message] = messageCodec.decode(text) as [BaseMessage]
    expect(message).toBeInstanceOf(HumanMessage)
    expect(message.additional_kwargs).toStrictEqual({
      at: new Date(Number.NaN),
      n: Number.NaN,
      m: new Map([['a', new Set([1])]]),
      o: { $is: 'x' },
      b: Buffer.from('hi'),
    })
  })
})
