import { SessionRegistryError } from '../errors/session-registry-error.ts'
import { checkId } from '../options/validate.ts'

/** The type of session ids in adapters: frameworks and databases number their conversations. */
export type SessionIdInput = string | number | bigint

/**
 * Returns the session id for an id of a framework: a safe integer and a bigint become strings.
 *
 * Any other number is rejected. `NaN` and `Infinity` come from a failed conversion. Beyond 2⁵³, adjacent
 * integers are one number, which would put two visitors into one session.
 *
 * `place` is where the caller of the framework should have put the id.
 *
 * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
 */
export function toSessionId(id: SessionIdInput, place?: string): string {
  if (typeof id === 'bigint' || Number.isSafeInteger(id)) return checkId(String(id), place)
  if (typeof id === 'number') {
    throw new SessionRegistryError(
      'ERR_SESSION_ID_INVALID',
      `Expected the session id${place === undefined ? '' : ` in ${place}`} to be a string, a bigint or a safe integer, got a number that is not a safe integer`,
    )
  }
  return checkId(id, place)
}
