import { describe, expect, it } from 'vitest'
import { cloneList } from '../../src/core/values/clone-list.ts'
import { cloneValue } from '../../src/core/values/clone-value.ts'
import fc from '../support/fast-check.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const invalid = sessionError('ERR_SESSION_VALUE_INVALID')
const fail = (): never => {
  throw new Error('secret')
}

describe('cloneValue', () => {
  it('returns an equal value that shares nothing, for any data', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: false,
    })
    fc.assert(
      fc.property(anything, (value) => {
        const copy = cloneValue('value', value)
        expect(copy).toEqual(value)
        for (const object of objectsIn(copy)) expect(objectsIn(value)).not.toContain(object)
      }),
      { numRuns: 1_000 },
    )
  })

  it('preserves shared references and cycles', () => {
    const shared = { n: 1 }
    const value: { a: object; b: object; self?: unknown; map: Map<unknown, unknown> } = {
      a: shared,
      b: shared,
      map: new Map([[shared, shared]]),
    }
    value.self = value
    const copy = cloneValue('value', value)

    expect(copy.a).not.toBe(shared)
    expect(copy.b).toBe(copy.a)
    expect(copy.self).toBe(copy)
    expect(copy.map.get(copy.a)).toBe(copy.a)
  })

  it('uses `toJSON`, drops functions and symbols, and copies the fields of a class instance', () => {
    class Row {
      readonly id = 7
      readonly save = () => {}
      toString(): string {
        return 'row'
      }
    }
    const value = {
      url: new URL('https://example.org/a'),
      row: new Row(),
      method: () => {},
      [Symbol('s')]: 1,
      symbol: Symbol('s'),
      list: [() => {}, Symbol('s'), undefined],
      date: { toJSON: () => new Date(0) },
      boxed: Object(7),
    }

    expect(cloneValue('value', value)).toStrictEqual({
      url: 'https://example.org/a',
      row: { id: 7 },
      list: [null, null, undefined],
      date: {},
      boxed: 7,
    })
  })

  it('copies a view into a buffer of its own size, by its base class', () => {
    class Blob32 extends Uint32Array {}
    const value = {
      buffer: Buffer.from('hello'),
      view: new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2),
      words: new Blob32([1, 2]),
      shared: new Uint8Array(new SharedArrayBuffer(2)),
      raw: new Uint8Array([5]).buffer,
    }
    const copy = cloneValue('value', value)

    expect(Buffer.isBuffer(copy.buffer)).toBe(true)
    expect(String(copy.buffer)).toBe('hello')
    expect(copy.buffer.buffer.byteLength).toBe(5)
    expect([copy.view.byteLength, copy.view.getUint8(0)]).toEqual([2, 2])
    expect(copy.words).toStrictEqual(new Uint32Array([1, 2]))
    expect(copy.shared.buffer).toBeInstanceOf(ArrayBuffer)
    expect(new Uint8Array(copy.raw)).toEqual(new Uint8Array([5]))
    expect(copy.raw).not.toBe(value.raw)
  })

  it('copies errors and regular expressions', () => {
    const copy = cloneValue('value', {
      error: new TypeError('down'),
      odd: new Error('down', { cause: () => {} }),
      pattern: /a+/gi,
    })

    expect(copy.error).toEqual(new TypeError('down'))
    expect(copy.odd.message).toBe('down')
    expect(copy.pattern).toEqual(/a+/gi)
  })

  it('keeps a class that the caller lists, with own properties only', () => {
    class Message {
      readonly fields = { text: 'hello' }
      readonly shout = () => this.fields.text
      get text(): string {
        return this.fields.text
      }
    }
    const message = Object.assign(new Message(), { [Symbol.for('mark')]: true })
    const [copy] = cloneValue('value', [message], { keepsClass: (value) => value instanceof Message })

    expect(copy).toBeInstanceOf(Message)
    expect(copy).toEqual(message)
    expect(copy?.fields).not.toBe(message.fields)
    expect(copy?.text).toBe('hello')
  })

  it('never replaces a prototype', () => {
    const value = JSON.parse('{"__proto__": {"polluted": 1}}')
    const copy = cloneValue('value', value)
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"polluted":1}}')
  })

  it.each<[what: string, value: unknown, path: string]>([
    [
      'a getter',
      [
        {
          a: {
            get b() {
              return fail()
            },
          },
        },
      ],
      'value[0].a.b',
    ],
    ['a `toJSON`', { a: [0, { toJSON: fail }] }, 'value.a[1]'],
    ['a proxy', { a: new Proxy({}, { ownKeys: fail }) }, 'value.a'],
    ['something in a map', new Map([['a', { toJSON: fail }]]), 'value["…"]'],
  ])('names the path where %s throws, and keeps the cause', (_what, value, path) => {
    const error = thrownBy(() => cloneValue('value', value)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(`Expected \`${path}\` to be data that can be copied`)
    expect(error.cause).toEqual(new Error('secret'))
  })

  it('rejects nesting that is too deep with a code', () => {
    let deep: unknown = 'end'
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    const error = thrownBy(() => cloneValue('value', deep)) as Error

    expect(error).toEqual(invalid)
    expect(error.message.length).toBeLessThan(300)
  })
})

describe('cloneList', () => {
  const rules = { rule: 'a text', isEntry: (entry: unknown) => typeof entry === 'string' }

  it.each<[what: string, list: unknown, message: string]>([
    ['no list', 'secret', '`list` to be an array, got a string'],
    ['a wrong entry', ['a', 7], '`list[1]` to be a text, got a number'],
    ['a hole', new Array(1), '`list[0]` to be a text, got undefined'],
  ])('rejects %s', (_what, list, message) => {
    const error = thrownBy(() => cloneList('list', list as string[], rules)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(`Expected ${message}`)
  })

  it('rejects an entry whose properties cannot be read', () => {
    const error = thrownBy(() => cloneList('list', [{}], { rule: 'a text', isEntry: fail })) as Error
    expect(error.message).toBe('Expected `list[0]` to be a text, got an object')
  })
})

function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found
  found.add(value)
  const inside = value instanceof Map || value instanceof Set ? [...value] : Object.values(value)
  if (!ArrayBuffer.isView(value)) for (const one of inside.flat(1)) objectsIn(one, found)
  return found
}
