import { describe, expect, it } from 'vitest'
import { CheckedCodec, type SessionCodec } from '../../src/core/codec/codec.ts'
import { jsonCodec } from '../../src/core/codec/json-codec.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const invalid = sessionError('ERR_SESSION_VALUE_INVALID')
const json = new CheckedCodec(jsonCodec)

describe('codec', () => {
  it('decodes what it encoded', () => {
    const value = { said: ['hello', '👩‍👩‍👧', '\ud800 alone'], at: 1.7e12 }

    expect(json.decode(json.encode(value))).toEqual(value)
  })

  it('is called with its own `this`', () => {
    class Reversing implements SessionCodec<string> {
      readonly #turn = (text: string) => [...text].reverse().join('')
      encode(value: string): string {
        return this.#turn(value)
      }
      decode(text: string): string {
        return this.#turn(text)
      }
    }
    const codec = new CheckedCodec(new Reversing())

    expect(codec.encode('abc')).toBe('cba')
    expect(codec.decode('cba')).toBe('abc')
  })

  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  it.each([
    ['undefined', undefined],
    ['a function', () => {}],
    ['a symbol', Symbol('secret')],
    ['a big integer', 1n],
    ['a cycle', cycle],
  ])('rejects %s without echoing it', (_name, value) => {
    const error = thrownBy(() => json.encode(value)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).not.toContain('secret')
  })

  it("passes on an error of the user's codec as the cause", () => {
    const cause = new Error('no such class')
    const codec = new CheckedCodec<unknown>({
      encode: () => {
        throw cause
      },
      decode: () => {
        throw cause
      },
    })
    for (const call of [() => codec.encode(1), () => codec.decode('1')]) {
      const error = thrownBy(call) as Error
      expect(error).toEqual(invalid)
      expect(error.cause).toBe(cause)
    }
  })

  it.each([7, null, undefined, Buffer.from('x'), 'lone \udfff', 'a \0 inside'])(
    'rejects encoded text that not every store can keep: %j',
    (text) => {
      const codec = new CheckedCodec<unknown>({ encode: () => text as string, decode: (given) => given })

      expect(thrownBy(() => codec.encode(1))).toEqual(invalid)
    },
  )

  it('rejects truncated text', () => {
    expect(thrownBy(() => json.decode('["hel'))).toEqual(invalid)
  })
})
