import { types } from 'node:util'
import { bytesName } from '../values/bytes.ts'
import { isPlain, objectKind } from '../values/value-kind.ts'
import { memberPath } from '../values/value-path.ts'

/** A part of a value that JSON would damage: its path, and its kind in words for a message. */
export interface Damage {
  readonly path: string
  readonly kind: string
}

/** The deepest nesting of a value: fixed, so that the rest of the stack at a save does not decide. */
const maxDepth = 1_000

/**
 * Whether `JSON.stringify` keeps the whole of a value, so that `JSON.parse` returns its equal.
 *
 * It may return `false` for what is kept, such as an object with a `toJSON`: then {@link findDamage} decides.
 * Every save pays for this quick check, so it keeps no path. A value that contains itself is too deep.
 */
export function isJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value)
    case 'bigint':
      return false
    case 'object':
      break
    default:
      return true
  }
  if (value === null) return true
  if (depth === maxDepth) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype || 'toJSON' in value) return false
    for (let index = 0; index < value.length; index += 1) {
      if (!isJson(value[index], depth + 1)) return false
    }
    return true
  }
  const proto = Object.getPrototypeOf(value)
  if ((proto !== Object.prototype && proto !== null) || 'toJSON' in value) return false
  // Not `Object.keys`, which allocates an array for every object.
  for (const key in value) {
    if (!isJson((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}

/** Returns the first part of a value that JSON would damage. `name` is the name of the value in messages. */
export function findDamage(name: string, value: unknown): Damage | undefined {
  const found = new DamageSearch().member('', value)
  return found === undefined
    ? undefined
    : { path: found.keys.reduceRight(memberPath, name), kind: found.kind }
}

/** The keys are in reverse, from the inside out, so that a path is built only for what was found. */
interface Found {
  readonly keys: (string | number)[]
  readonly kind: string
}

class DamageSearch {
  readonly #ancestors = new Set<object>()

  member(key: string | number, value: unknown): Found | undefined {
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? undefined : found(String(value))
      case 'bigint':
        return found('a bigint')
      case 'object':
        return value === null ? undefined : this.#object(key, value)
      default:
        return undefined
    }
  }

  #object(key: string | number, value: object): Found | undefined {
    // Although some have a `toJSON`: they would be decoded as a text or a list of numbers.
    if (isRefusedByName(value)) return found(objectKind(value))
    const toJSON: unknown = Reflect.get(value, 'toJSON')
    if (typeof toJSON !== 'function') return this.#members(value)
    const json: unknown = toJSON.call(value, String(key))
    // JSON does not call the `toJSON` of what a `toJSON` returned.
    return typeof json === 'object' && json !== null ? this.#members(json) : this.member(key, json)
  }

  #members(value: object): Found | undefined {
    if (!isPlain(value)) {
      return found(isRefusedByName(value) ? objectKind(value) : `${objectKind(value)} without a \`toJSON\``)
    }
    if (this.#ancestors.has(value)) return found('an object that contains itself')
    if (this.#ancestors.size === maxDepth) return found('nesting that is too deep')
    this.#ancestors.add(value)
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
    for (const key of keys) {
      const inside = this.member(key, Reflect.get(value, key))
      if (inside === undefined) continue
      inside.keys.push(key)
      return inside
    }
    this.#ancestors.delete(value)
    return undefined
  }
}

function isRefusedByName(value: object): boolean {
  return types.isDate(value) || types.isMap(value) || types.isSet(value) || bytesName(value) !== undefined
}

function found(kind: string): Found {
  return { keys: [], kind }
}
