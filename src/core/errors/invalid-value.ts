import { kindOf } from '../options/validate.ts'
import { SessionRegistryError } from './session-registry-error.ts'

/**
 * The error of a value that cannot be stored or read. It shows only the kind of what was got: the value is a
 * conversation.
 */
export function invalidValue(name: string, rule: string, got: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    `Expected \`${name}\` to be ${rule}, got ${kindOf(got)}`,
  )
}

/** The error of a value whose processing failed, with the cause. */
export function unusableValue(name: string, rule: string, cause: unknown): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_VALUE_INVALID', `Expected \`${name}\` to be ${rule}`, {
    cause,
  })
}
