import { describe, expect, it } from 'vitest'
import { jsonCodec } from '../../src/core/codec/json-codec.ts'
import { toolOutput } from '../../src/core/values/tool-output.ts'
import fc from '../support/fast-check.ts'

/** A value like those of decimal.js: a field that is a function, and a `toJSON`. */
class Decimal {
  readonly d = [2, 5000000]
  constructor() {
    Object.assign(this, { constructor: Decimal })
  }
  toJSON(): string {
    return '2.5'
  }
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const cycle: { name: string; self?: unknown } = { name: 'one' }
cycle.self = [cycle]

describe('toolOutput', () => {
  it.each<[what: string, output: unknown, kept: unknown]>([
    ['a decimal', { price: new Decimal() }, { price: '2.5' }],
    ['a row with a method', { id: 1, save: () => {} }, { id: 1 }],
    ['a proxy', new Proxy({ a: [1] }, {}), { a: [1] }],
    ['a proxy of a list', new Proxy([1, { a: 2 }], {}), [1, { a: 2 }]],
    ['a URL', new URL('https://example.org/a'), 'https://example.org/a'],
    ['a date', [new Date(0)], ['1970-01-01T00:00:00.000Z']],
    ['a date that is none', [new Date(Number.NaN)], [null]],
    [
      'an instance of a class',
      new (class Row {
        id = 7
        #secret = 1
        get s() {
          return this.#secret
        }
      })(),
      { id: 7 },
    ],
    ['a bigint', { count: 653247040368672779n }, { count: '653247040368672779' }],
    ['NaN and infinities', [Number.NaN, Number.POSITIVE_INFINITY], [null, null]],
    [
      'undefined, functions and symbols',
      { a: undefined, l: [undefined, () => {}, Symbol('s')] },
      { l: [null, null, null] },
    ],
    ['a map', new Map<unknown, unknown>([['a', new Date(0)]]), [['a', '1970-01-01T00:00:00.000Z']]],
    ['a set', new Set([1, 2n]), [1, '2']],
    [
      'an error',
      Object.assign(new TypeError('down'), { code: 'E1' }),
      { name: 'TypeError', message: 'down', code: 'E1' },
    ],
    ['a regular expression', { match: /a+/g }, { match: '/a+/g' }],
    ['boxed values', [Object(1), Object('a'), Object(2n), Object(true)], [1, 'a', '2', true]],
    ['what contains itself', cycle, { name: 'one', self: ['[Circular]'] }],
    ['a revoked proxy', { a: 1, gone: revoked() }, { a: 1 }],
    [
      'a `toJSON` that throws',
      {
        a: 1,
        b: {
          toJSON: () => {
            throw new Error('no')
          },
        },
      },
      { a: 1 },
    ],
    [
      'a getter that throws',
      {
        a: 1,
        get b(): never {
          throw new Error('no')
        },
      },
      { a: 1 },
    ],
    [
      'awkward keys',
      JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'),
      JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'),
    ],
    ['a promise', Promise.resolve(1), {}],
    ['a function', () => {}, undefined],
    ['a text', 'hello', 'hello'],
    ['nothing', null, null],
  ])('converts %s as JSON does, or as closely as possible', (_what, output, kept) => {
    expect(toolOutput(output)).toStrictEqual(kept)
  })

  it('copies bytes into a buffer of their own', () => {
    const bytes = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
    const copy = toolOutput({ bytes }) as { bytes: Uint8Array }

    expect(copy).toStrictEqual({ bytes: new Uint8Array([1, 2]) })
    expect(copy.bytes.buffer.byteLength).toBe(2)
  })

  it('truncates nesting deeper than 500 levels', () => {
    let deep: unknown = 'end'
    for (let level = 0; level < 20_000; level += 1) deep = [deep]
    const kept = JSON.stringify(toolOutput(deep))

    expect(kept).toBe(`${'['.repeat(500)}"[Too deep]"${']'.repeat(500)}`)
  })

  it('property: equals what JSON makes of it if JSON accepts it, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(toolOutput(value)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withBoxedValues: true,
    })
    fc.assert(
      fc.property(anything, (value) => {
        const kept = toolOutput({ value })
        // The default codec accepts it.
        expect(jsonCodec.decode(jsonCodec.encode(kept))).toEqual(kept)
      }),
      { numRuns: 1_000 },
    )
  })
})
