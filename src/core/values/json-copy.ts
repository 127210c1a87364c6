import { unusableValue } from '../errors/invalid-value.ts'

/**
 * Returns a copy of a value as JSON keeps it: a `toJSON` is respected, a date becomes a text, functions are
 * left out. `undefined` where JSON keeps nothing.
 *
 * `name` is the name of the value in messages.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` for an object that contains itself, a bigint, a
 *   getter that throws, and nesting that is too deep
 */
export function jsonCopy(name: string, value: unknown): unknown {
  try {
    const text = JSON.stringify(value)
    return text === undefined ? undefined : JSON.parse(text)
  } catch (cause) {
    throw unusableValue(name, 'data that can be written as JSON', cause)
  }
}
