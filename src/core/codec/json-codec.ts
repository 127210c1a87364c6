import { unusableValue } from '../errors/invalid-value.ts'
import { isSessionRegistryError, SessionRegistryError } from '../errors/session-registry-error.ts'
import { kindOf } from '../options/validate.ts'
import type { SessionCodec } from './codec.ts'
import { findDamage, isJson } from './json-damage.ts'
import { parseJson } from './parse-json.ts'

/**
 * The default codec: JSON, which rejects what it would damage.
 *
 * It rejects a `Map`, a `Set`, a `Date`, bytes, an instance of a class without `toJSON`, `NaN`, an infinity,
 * a bigint, and an object that contains itself; the error names the path. It respects `toJSON`. The rest is
 * as in JSON: a property that is `undefined`, a function or a symbol is left out, in an array it becomes
 * `null`; `-0` becomes `0`.
 */
export const jsonCodec: SessionCodec<unknown> = {
  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  encode(value) {
    const text = encoded(value)
    if (text !== undefined) return text
    throw new SessionRegistryError(
      'ERR_SESSION_VALUE_INVALID',
      `Expected \`value\` to be data that JSON has a word for, got ${kindOf(value)}`,
    )
  },

  decode: (text) => parseJson(text),
}

/** `undefined` is what `JSON.stringify` returns for `undefined`, a function and a symbol. */
function encoded(value: unknown): string | undefined {
  try {
    if (!isJson(value)) refuseDamage(value)
    return JSON.stringify(value)
  } catch (cause) {
    throw isSessionRegistryError(cause, 'ERR_SESSION_VALUE_INVALID') ? cause : unreadable(cause)
  }
}

function refuseDamage(value: unknown): void {
  const damage = findDamage('value', value)
  if (damage === undefined) return
  throw new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    `Expected \`${damage.path}\` to be data that JSON keeps, got ${damage.kind}`,
  )
}

/** A getter or a `toJSON` threw, or the value is nested too deeply for the rest of the stack. */
function unreadable(cause: unknown): SessionRegistryError {
  return unusableValue('value', 'data that can be written as JSON', cause)
}
