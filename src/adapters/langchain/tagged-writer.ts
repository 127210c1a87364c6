import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { bytesName, bytesOf } from '../../core/values/bytes.ts'
import { setMember } from '../../core/values/set-member.ts'
import { isPlain, objectKind } from '../../core/values/value-kind.ts'
import { memberPath } from '../../core/values/value-path.ts'
import { bytesNames, maxDepth, numbers, tag } from './tagged-json.ts'

const numberNames = new Map(Array.from(numbers, ([name, number]) => [number, name]))

/**
 * Returns JSON that also keeps bytes, dates, maps, sets, bigints, `undefined` in a list, `NaN`, infinities
 * and `-0`, and objects for which `toParts` returns parts.
 *
 * A `toJSON` is respected. Functions and symbols are left out as in JSON. An instance of a class is written
 * as its fields.
 *
 * `name` is the name of the value in messages.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`, with the path of what could not be read back
 */
export function encodeTagged(
  name: string,
  value: unknown,
  toParts: (value: object) => object | undefined,
): string {
  return JSON.stringify(new Writer(name, toParts).write('', value))
}

class Writer {
  readonly #name: string
  readonly #toParts: (value: object) => object | undefined
  readonly #path: (string | number)[] = []
  #depth = 0

  constructor(name: string, toParts: (value: object) => object | undefined) {
    this.#name = name
    this.#toParts = toParts
  }

  /** Returns what JSON can express; `undefined` for what JSON leaves out. */
  write(key: string | number, value: unknown): unknown {
    switch (typeof value) {
      case 'function':
      case 'symbol':
        return undefined
      case 'bigint':
        return { [tag]: 'bigint', of: String(value) }
      case 'number':
        return isWritable(value) ? value : { [tag]: 'number', of: numberName(value) }
      case 'object':
        return value === null ? null : this.#object(key, value)
      default:
        return value
    }
  }

  #object(key: string | number, value: object): unknown {
    if (this.#depth === maxDepth) {
      throw this.#refusal(`more than ${maxDepth} levels of nesting, or an object that contains itself`)
    }
    this.#depth += 1
    const written = this.#known(value) ?? this.#parts(value) ?? this.#other(key, value)
    this.#depth -= 1
    return written
  }

  /** Returns a built-in object with its tag; `undefined` for anything else. */
  #known(value: object): unknown {
    const proto: unknown = Object.getPrototypeOf(value)
    if (proto === Object.prototype || proto === Array.prototype) return undefined
    const bytes = bytesName(value)
    if (bytes !== undefined) return this.#bytes(bytes, value)
    if (types.isDate(value)) return { [tag]: 'date', of: value.getTime() }
    if (types.isMap(value)) return { [tag]: 'map', of: this.#pairs(value) }
    if (types.isSet(value)) return { [tag]: 'set', of: this.#list([...value]) }
    return undefined
  }

  #bytes(name: string, value: object): unknown {
    if (!bytesNames.has(name)) throw this.#refusal(objectKind(value))
    const { buffer, byteOffset, byteLength } = bytesOf(value)
    return { [tag]: name, of: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
  }

  #parts(value: object): unknown {
    const parts = this.#toParts(value)
    if (parts === undefined) return undefined
    // The parts are not in the path: their members are those of the value.
    const written = Object.entries(parts).map(([key, part]) => [key, this.#part(part)])
    return { [tag]: 'parts', of: Object.fromEntries(written) }
  }

  #part(part: unknown): unknown {
    if (typeof part !== 'object' || part === null) return part
    return Array.isArray(part) ? part : this.#record(part)
  }

  #other(key: string | number, value: object): unknown {
    const toJSON: unknown = Reflect.get(value, 'toJSON')
    if (typeof toJSON !== 'function') return this.#members(value)
    const json: unknown = toJSON.call(value, String(key))
    // JSON does not call the `toJSON` of what a `toJSON` returned.
    return typeof json === 'object' && json !== null ? this.#members(json) : this.write(key, json)
  }

  #members(value: object): unknown {
    if (Array.isArray(value)) return this.#list(value)
    if (types.isBoxedPrimitive(value)) return this.write('', value.valueOf())
    if (isLost(value)) throw this.#refusal(objectKind(value))
    const record = this.#record(value)
    // An object that has the tag as a key of its own is written as its entries.
    return Object.hasOwn(record, tag) ? { [tag]: 'object', of: Object.entries(record) } : record
  }

  #list(list: readonly unknown[]): unknown[] {
    // Not `map`, which skips holes.
    return Array.from(list, (one, index) => {
      this.#path.push(index)
      const written = one === undefined ? { [tag]: 'undefined' } : this.write(index, one)
      this.#path.pop()
      return written
    })
  }

  #pairs(map: ReadonlyMap<unknown, unknown>): unknown[] {
    return Array.from(map, (pair, index) => {
      this.#path.push(index)
      const written = this.#list(pair)
      this.#path.pop()
      return written
    })
  }

  #record(value: object): object {
    const record = {}
    for (const key of Object.keys(value)) {
      this.#path.push(key)
      const member = this.write(key, Reflect.get(value, key))
      if (member !== undefined) setMember(record, key, member)
      this.#path.pop()
    }
    return record
  }

  #refusal(kind: string): SessionRegistryError {
    return new SessionRegistryError(
      'ERR_SESSION_VALUE_INVALID',
      `Expected \`${this.#path.reduce(memberPath, this.#name)}\` to be data that can be written and read back, got ${kind}`,
    )
  }
}

function isWritable(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0)
}

function numberName(value: number): string | undefined {
  return Object.is(value, -0) ? '-0' : numberNames.get(value)
}

/**
 * Whether JSON would lose the content of an object: an error, a regular expression, a promise, a response.
 */
function isLost(value: object): boolean {
  if (types.isNativeError(value) || value instanceof Error) return true
  return Object.keys(value).length === 0 && !isPlain(value)
}
