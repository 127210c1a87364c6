import { kindOf } from '../options/validate.ts'
import { SessionRegistryError } from './session-registry-error.ts'

/**
 * The error of a value that cannot be stored or read. Of what was got it gives only the kind: it is
 * somebody's talk.
 */
export function invalidValue(name: string, rule: string, got: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    `Expected \`${name}\` to be ${rule}, got ${kindOf(got)}`,
  )
}

/** The same where something has failed over the value, and says why. */
export function unusableValue(name: string, rule: string, cause: unknown): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_VALUE_INVALID', `Expected \`${name}\` to be ${rule}`, {
    cause,
  })
}
