import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { CheckedCodec } from '../../src/core/codec/codec.ts'
import { jsonCodec } from '../../src/core/codec/json-codec.ts'
import fc from '../support/fast-check.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const codec = new CheckedCodec(jsonCodec)
const invalid = sessionError('ERR_SESSION_VALUE_INVALID')
const roundTrip = (value: unknown) => codec.decode(codec.encode(value))

class Point {
  readonly x = 1
}

class Money {
  readonly #cents = 250
  toJSON(key: string): unknown {
    return { key, amount: this.#cents / 100 }
  }
}

function nested(depth: number): unknown {
  let value: unknown = 'deep'
  for (let level = 0; level < depth; level += 1) value = { a: value }
  return value
}

describe('the default codec', () => {
  it.each<[kind: string, value: unknown]>([
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    ['a Date', new Date(Number.NaN)],
    ['a Buffer', Buffer.from('secret')],
    ['a Uint8Array', new Uint8Array(2)],
    ['an Int8Array', new Int8Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['an instance of Point without a `toJSON`', new Point()],
    ['an instance of RegExp without a `toJSON`', /secret/],
    ['an instance of TypeError without a `toJSON`', new TypeError('secret')],
    ['an instance of String without a `toJSON`', new String('secret')],
    ['an instance of Object without a `toJSON`', Object.create({ inherited: 'secret' })],
    ['an instance of List without a `toJSON`', new (class List extends Array {})()],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a bigint', 1n],
  ])('rejects %s anywhere in the value, and names the path', (kind, value) => {
    for (const [path, whole] of [
      ['value', value],
      ['value.at', { at: value }],
      ['value[1]', ['before', value]],
      ['value.items[3].at', { items: [1, 'secret', {}, { at: value }] }],
      ['value["a b"]["1"]', { 'a b': { 1: value } }],
      ['value.a', { a: { toJSON: () => value } }],
    ] as const) {
      const error = thrownBy(() => codec.encode(whole)) as Error
      expect(error).toEqual(invalid)
      expect(error.message).toBe(`Expected \`${path}\` to be data that JSON keeps, got ${kind}`)
    }
  })

  it.each([
    ['undefined', undefined],
    ['a function', () => {}],
    ['a symbol', Symbol('x')],
  ])('rejects %s as the whole value', (_kind, value) => {
    const error = thrownBy(() => jsonCodec.encode(value)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toContain('`value`')
  })

  it('rejects an object that contains itself, and names the path', () => {
    const list: unknown[] = []
    const cycle = { items: [list] }
    list.push({ back: cycle })
    const error = thrownBy(() => codec.encode({ cycle })) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(
      'Expected `value.cycle.items[0][0].back` to be data that JSON keeps, got an object that contains itself',
    )
  })

  it('accepts an object that occurs twice without containing itself', () => {
    const shared = { a: [1] }
    expect(roundTrip({ one: shared, two: [shared, shared] })).toEqual({ one: shared, two: [shared, shared] })
  })

  it.each([1_001, 10_000, 1_000_000])(
    'rejects nesting of %d levels with a code instead of a RangeError',
    (depth) => {
      const error = thrownBy(() => codec.encode(nested(depth))) as Error

      expect(error).toEqual(invalid)
      expect(error.message).toMatch(
        /^Expected `value\.a\.a.*…` to be data that JSON keeps, got nesting that is too deep$/,
      )
      expect(error.message.length).toBeLessThan(300)
    },
  )

  it('accepts nesting of 1 000 levels', () => {
    expect(codec.encode(roundTrip(nested(1_000)))).toBe(codec.encode(nested(1_000)))
  })

  it('calls `toJSON` with its key', () => {
    expect(roundTrip({ price: new Money(), page: new URL('https://example.org/a') })).toEqual({
      price: { key: 'price', amount: 2.5 },
      page: 'https://example.org/a',
    })
    expect(roundTrip([new Money()])).toEqual([{ key: '0', amount: 2.5 }])
  })

  it('does not call `toJSON` again on the result of a `toJSON`, as JSON does not', () => {
    expect(roundTrip({ a: { toJSON: () => ({ b: new Money() }) } })).toEqual({
      a: { b: { key: 'b', amount: 2.5 } },
    })
    expect(thrownBy(() => codec.encode({ a: { toJSON: () => new Money() } }))).toEqual(invalid)
  })

  it('keeps the error of a `toJSON` or a getter as the cause', () => {
    const cause = new RangeError('secret')
    const fail = () => {
      throw cause
    }
    for (const value of [
      { a: { toJSON: fail } },
      Object.defineProperty({}, 'a', { get: fail, enumerable: true }),
    ]) {
      const error = thrownBy(() => codec.encode(value)) as Error
      expect(error).toEqual(invalid)
      expect(error.cause).toBe(cause)
      expect(error.message).not.toContain('secret')
    }
  })

  it('treats undefined, functions, symbols and -0 as JSON does', () => {
    const value = {
      missing: undefined,
      method: () => {},
      symbol: Symbol('secret'),
      [Symbol('key')]: 1n,
      list: [undefined, () => {}, Symbol('secret')],
      zero: -0,
    }
    expect(roundTrip(value)).toEqual({ list: [null, null, null], zero: 0 })
  })

  it('accepts plain objects and lists of another realm', () => {
    const foreign = runInNewContext('({ list: [1, { a: "b" }], when: undefined })')
    expect(foreign).not.toBeInstanceOf(Object)
    expect(roundTrip(foreign)).toEqual({ list: [1, { a: 'b' }] })
    for (const source of [
      '[new Date(0)]',
      '[new Map()]',
      '[new (class Point {})()]',
      '[new (class Object {})()]',
    ]) {
      expect(thrownBy(() => codec.encode(runInNewContext(source)))).toEqual(invalid)
    }
  })

  it('preserves objects without a prototype, unusual keys, and text that UTF-8 cannot express', () => {
    const value = JSON.parse('{"__proto__": {"constructor": 1}, "": "\\ud800", "nul": "\\u0000"}')
    expect(JSON.stringify(roundTrip(value))).toBe(JSON.stringify(value))
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 })
  })

  it('shows only the beginning of a long key', () => {
    const error = thrownBy(() => codec.encode({ ['k'.repeat(500)]: 1n })) as Error
    expect(error.message).toBe(
      `Expected \`value["${'k'.repeat(40)}…"]\` to be data that JSON keeps, got a bigint`,
    )
  })

  it('preserves every value that JSON can express, and either rejects or preserves any other', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 5 }), (value) => {
        expect(codec.encode(roundTrip(value))).toBe(JSON.stringify(value))
      }),
    )
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
      withSparseArray: false,
    })
    fc.assert(
      fc.property(anything, (value) => {
        let text: string
        try {
          text = codec.encode(value)
        } catch (error) {
          expect(error).toEqual(invalid)
          return
        }
        expect(codec.decode(text)).toEqual(asJsonHasIt(value))
      }),
      { numRuns: 1_000 },
    )
  })
})

/** Returns the value as JSON has it: `undefined` in a list is `null`, and -0 is 0. */
function asJsonHasIt(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map((one) => (one === undefined ? null : asJsonHasIt(one)))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => [key, asJsonHasIt(one)]),
  )
}
