import { unusableValue } from '../errors/invalid-value.ts'

/**
 * The deepest nesting of a value. What is taken in is read and stored as a part of a session, and copies and
 * codecs refuse more than 1 000 levels of the whole.
 */
const maxDepth = 900

/**
 * Returns a copy of a value as JSON keeps it: a `toJSON` is respected, a date becomes a text, functions are
 * left out. `undefined` where JSON keeps nothing.
 *
 * `name` is the name of the value in messages.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` for an object that contains itself, a bigint, a
 *   getter that throws, and nesting of more than 900 levels
 */
export function jsonCopy(name: string, value: unknown): unknown {
  try {
    const text = JSON.stringify(value)
    const copy: unknown = text === undefined ? undefined : JSON.parse(text)
    assertShallow(copy, 0)
    return copy
  } catch (cause) {
    throw unusableValue(name, 'data that can be written as JSON', cause)
  }
}

function assertShallow(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth === maxDepth) throw new RangeError('The nesting is too deep')
  for (const member of Object.values(value)) assertShallow(member, depth + 1)
}
