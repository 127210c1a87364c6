import { types } from 'node:util'
import { bytesFrom, bytesName, bytesOf } from './bytes.ts'
import { setMember } from './set-member.ts'

/** The depth to which the output of a tool is kept. */
const maxDepth = 500

/**
 * Returns a copy of the output of a tool, as the JSON that the model and the browser got.
 *
 * A `toJSON` is respected, functions are left out, `NaN` becomes `null`. What JSON cannot express becomes the
 * nearest: a bigint and a `RegExp` a text, a `Map` and a `Set` a list, an `Error` its name and message. Bytes
 * stay bytes. An object that contains itself, nesting that is too deep, and a getter that throws lose that
 * member only.
 *
 * It never throws, because the answer has been shown before it is saved.
 */
export function toolOutput(value: unknown): unknown {
  return new ToolOutput().member('', value)
}

class ToolOutput {
  readonly #ancestors = new Set<object>()

  member(key: string | number, value: unknown): unknown {
    switch (typeof value) {
      case 'function':
      case 'symbol':
        return undefined
      case 'bigint':
        return String(value)
      case 'number':
        // JSON has no `-0`.
        return Number.isFinite(value) ? value + 0 : null
      case 'object':
        return value === null ? null : this.#objectOrNothing(key, value)
      default:
        return value
    }
  }

  #objectOrNothing(key: string | number, value: object): unknown {
    try {
      return this.#object(key, value)
    } catch {
      // A getter or a `toJSON` threw, or a proxy is revoked.
      return undefined
    }
  }

  #object(key: string | number, value: object): unknown {
    const bytes = bytesName(value)
    if (bytes !== undefined) return bytesFrom(bytes, bytesOf(value))
    if (types.isRegExp(value)) return String(value)
    if (types.isBoxedPrimitive(value)) return this.member(key, value.valueOf())
    const toJSON: unknown = Reflect.get(value, 'toJSON')
    if (typeof toJSON !== 'function') return this.#members(value)
    const json: unknown = toJSON.call(value, String(key))
    // JSON does not call the `toJSON` of what a `toJSON` returned.
    return typeof json === 'object' && json !== null ? this.#members(json) : this.member(key, json)
  }

  #members(value: object): unknown {
    if (this.#ancestors.has(value)) return '[Circular]'
    if (this.#ancestors.size === maxDepth) return '[Too deep]'
    this.#ancestors.add(value)
    try {
      if (Array.isArray(value)) return this.#list(value)
      if (types.isMap(value) || types.isSet(value)) return this.#list([...value])
      return this.#record(value)
    } finally {
      this.#ancestors.delete(value)
    }
  }

  #list(list: readonly unknown[]): unknown[] {
    return Array.from(list, (one, index) => {
      const copy = this.member(index, one)
      return copy === undefined ? null : copy
    })
  }

  #record(value: object): object {
    const copy = {}
    if (types.isNativeError(value)) Object.assign(copy, { name: value.name, message: value.message })
    for (const key of Object.keys(value)) {
      const member = this.member(key, read(value, key))
      if (member !== undefined) setMember(copy, key, member)
    }
    return copy
  }
}

/** Returns a property; `undefined` where its getter throws. */
function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key)
  } catch {
    return undefined
  }
}
