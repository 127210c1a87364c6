import { Buffer } from 'node:buffer'
import { parseJson } from '../../core/codec/parse-json.ts'
import { bytesFrom } from '../../core/values/bytes.ts'
import { setMember } from '../../core/values/set-member.ts'
import { bytesNames, maxDepth, numbers, tag } from './tagged-json.ts'

/**
 * Returns the value of a text of `encodeTagged`. `fromParts` gets parts as they are in the text, and must
 * check them.
 *
 * Whatever the text, it needs no more memory than a few times its length.
 *
 * @throws Error where the text is not one of `encodeTagged`
 */
export function decodeTagged(text: string, fromParts: (parts: object) => unknown): unknown {
  return new Reader(fromParts).read(parseJson(text))
}

class Reader {
  readonly #fromParts: (parts: object) => unknown
  #depth = 0

  constructor(fromParts: (parts: object) => unknown) {
    this.#fromParts = fromParts
  }

  read(json: unknown): unknown {
    if (typeof json !== 'object' || json === null) return json
    if (this.#depth === maxDepth) throw new RangeError(`Expected at most ${maxDepth} levels of nesting`)
    this.#depth += 1
    const value = Array.isArray(json) ? this.#list(json) : this.#object(json)
    this.#depth -= 1
    return value
  }

  #object(json: object): unknown {
    if (!Object.hasOwn(json, tag)) return this.#record(json)
    const { [tag]: kind, of } = json as { readonly [tag]: unknown; readonly of?: unknown }
    switch (kind) {
      case 'undefined':
        return undefined
      case 'bigint':
        return BigInt(checked(of, isInteger))
      case 'number':
        return numbers.get(checked(of, isNumberName))
      case 'date':
        return new Date(of === null ? Number.NaN : checked(of, isNumber))
      case 'map':
        return new Map(this.#pairs(of))
      case 'set':
        return new Set(this.#list(checked(of, Array.isArray)))
      case 'object':
        return this.#entries(of)
      case 'parts':
        return this.#fromParts(this.#partsOf(checked(of, isObject)))
      default:
        return bytesFrom(checked(kind, isBytesName), Buffer.from(checked(of, isString), 'base64'))
    }
  }

  #partsOf(parts: object): object {
    for (const [key, part] of Object.entries(parts)) {
      if (isObject(part)) setMember(parts, key, this.#record(part))
    }
    return parts
  }

  #pairs(of: unknown): [unknown, unknown][] {
    return checked(of, Array.isArray).map((pair) => {
      const [key, value] = checked(pair, isPair)
      return [this.read(key), this.read(value)]
    })
  }

  #entries(of: unknown): object {
    const record = {}
    for (const pair of checked(of, Array.isArray)) {
      const [key, value] = checked(pair, isPair)
      setMember(record, checked(key, isString), this.read(value))
    }
    return record
  }

  /** In place, since only this reader has the list. */
  #list(list: unknown[]): unknown[] {
    for (let index = 0; index < list.length; index += 1) list[index] = this.read(list[index])
    return list
  }

  #record(record: object): object {
    for (const key of Object.keys(record)) {
      const member: unknown = Reflect.get(record, key)
      if (typeof member === 'object') setMember(record, key, this.read(member))
    }
    return record
  }
}

function checked<V>(value: unknown, isRight: (value: unknown) => value is V): V {
  if (isRight(value)) return value
  throw new TypeError('Expected a value as it is written')
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isNumberName(value: unknown): value is string {
  return isString(value) && numbers.has(value)
}

function isInteger(value: unknown): value is string {
  return isString(value) && /^-?\d+$/.test(value)
}

function isBytesName(value: unknown): value is string {
  return isString(value) && bytesNames.has(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2
}
