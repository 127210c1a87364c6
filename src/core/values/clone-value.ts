import { types } from 'node:util'
import { unusableValue } from '../errors/invalid-value.ts'
import { bytesFrom, bytesName, bytesOf } from './bytes.ts'
import { setMember } from './set-member.ts'
import { toolOutput } from './tool-output.ts'
import { memberPath } from './value-path.ts'

/** The rules of an adapter for the values of its framework. */
export interface CopyRules {
  /** Whether a member is the output of a tool: it is copied by {@link toolOutput}, which rejects nothing. */
  readonly isToolOutput?: (holder: object, key: string) => boolean
  /** Whether the copy of an object has the same prototype. */
  readonly keepsClass?: (value: object) => boolean
}

/** The deepest nesting of a value that is copied. */
const maxDepth = 1_000

/**
 * Returns a deep copy of a value that an adapter takes or returns.
 *
 * It keeps what JSON keeps: a `toJSON` is respected, functions and symbols are left out (`null` in a list),
 * an instance of a class becomes a plain object with its fields. Beyond JSON it keeps dates, maps, sets,
 * bytes, bigints, errors, regular expressions, and the identity of objects that occur more than once.
 *
 * `name` is the name of the value in messages.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`, with the path, where a getter or a `toJSON`
 *   throws or the nesting is too deep
 */
export function cloneValue<V>(name: string, value: V, rules: CopyRules = {}): V {
  const cloner = new Cloner(rules)
  try {
    return cloner.copy('', value) as V
  } catch (cause) {
    throw unusableValue(cloner.path.reduce(memberPath, name), 'data that can be copied', cause)
  }
}

class Cloner {
  /** The path to what is being copied: after a failure, to what failed. */
  readonly path: (string | number)[] = []
  readonly #rules: CopyRules
  readonly #copies = new Map<object, unknown>()

  constructor(rules: CopyRules) {
    this.#rules = rules
  }

  copy(key: string | number, value: unknown): unknown {
    switch (typeof value) {
      case 'function':
      case 'symbol':
        return undefined
      case 'object':
        return value === null ? null : this.#object(key, value)
      default:
        return value
    }
  }

  #object(key: string | number, value: object): unknown {
    const existing = this.#copies.get(value)
    if (existing !== undefined) return existing
    if (this.path.length > maxDepth) throw new RangeError('The nesting is too deep')
    if (this.#rules.keepsClass?.(value) === true) return this.#instance(value)
    const proto: unknown = Object.getPrototypeOf(value)
    if (proto !== Object.prototype && proto !== Array.prototype && proto !== null) {
      const copy = this.#known(value)
      if (copy !== undefined) return copy
    }
    const toJSON: unknown = Reflect.get(value, 'toJSON')
    if (typeof toJSON !== 'function') return this.#members(value, value)
    const json: unknown = toJSON.call(value, String(key))
    // JSON does not call the `toJSON` of what a `toJSON` returned.
    return typeof json === 'object' && json !== null ? this.#members(json, value) : this.copy(key, json)
  }

  #members(from: object, original: object): object {
    return Array.isArray(from) ? this.#list(from, original) : this.#record(from, original)
  }

  /**
   * Returns a copy of a built-in object whose content is not in its own properties; `undefined` for anything
   * else.
   */
  #known(value: object): unknown {
    const bytes = bytesName(value)
    if (bytes !== undefined) return this.#remember(value, bytesFrom(bytes, bytesOf(value)))
    if (types.isDate(value)) return this.#remember(value, new Date(value.getTime()))
    if (types.isMap(value)) return this.#map(value)
    if (types.isSet(value)) return this.#set(value)
    if (types.isBoxedPrimitive(value)) return value.valueOf()
    if (types.isRegExp(value)) return this.#remember(value, new RegExp(value.source, value.flags))
    return types.isNativeError(value) ? this.#remember(value, this.#error(value)) : undefined
  }

  #remember(value: object, copy: unknown): unknown {
    this.#copies.set(value, copy)
    return copy
  }

  #list(from: readonly unknown[], original: object): unknown[] {
    const copy: unknown[] = []
    this.#copies.set(original, copy)
    for (let index = 0; index < from.length; index += 1) {
      this.path.push(index)
      const one = from[index]
      copy.push(typeof one === 'function' || typeof one === 'symbol' ? null : this.copy(index, one))
      this.path.pop()
    }
    return copy
  }

  #map(map: ReadonlyMap<unknown, unknown>): Map<unknown, unknown> {
    const copy = new Map<unknown, unknown>()
    this.#copies.set(map, copy)
    for (const [key, one] of map) copy.set(this.#inside(key), this.#inside(one))
    return copy
  }

  #set(set: ReadonlySet<unknown>): Set<unknown> {
    const copy = new Set<unknown>()
    this.#copies.set(set, copy)
    for (const one of set) copy.add(this.#inside(one))
    return copy
  }

  /** Copies a member of a map or a set, for which a path has no key. */
  #inside(value: unknown): unknown {
    this.path.push('…')
    const copy = this.copy('', value)
    this.path.pop()
    return copy
  }

  #error(error: Error): object {
    try {
      return structuredClone(error)
    } catch {
      // Its `cause` cannot be cloned.
      return Object.assign(new Error(error.message), { name: error.name, stack: error.stack })
    }
  }

  #record(from: object, original: object): object {
    const copy = {}
    this.#copies.set(original, copy)
    for (const key of Object.keys(from)) {
      this.path.push(key)
      const member: unknown = Reflect.get(from, key)
      if (typeof member !== 'function' && typeof member !== 'symbol') {
        const isOutput = this.#rules.isToolOutput?.(from, key) === true
        setMember(copy, key, isOutput ? toolOutput(member) : this.copy(key, member))
      }
      this.path.pop()
    }
    return copy
  }

  /** Returns a copy with the same class and its own methods. */
  #instance(value: object): object {
    const copy: object = Object.create(Object.getPrototypeOf(value))
    this.#copies.set(value, copy)
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key)
      if (property === undefined) continue
      if (typeof key === 'string' && typeof property.value === 'object') {
        this.path.push(key)
        property.value = this.copy(key, property.value)
        this.path.pop()
      }
      Object.defineProperty(copy, key, property)
    }
    return copy
  }
}
