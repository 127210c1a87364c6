import { SessionRegistryError } from '../errors/session-registry-error.ts'
import { checkId } from '../options/validate.ts'

/** What an adapter takes as a session id: frameworks and databases count their conversations. */
export type SessionIdInput = string | number | bigint

/**
 * Returns the session id for what an adapter was given: a safe integer and a bigint become their string.
 *
 * Any other number is refused. `NaN` and `Infinity` come from a failed conversion. Beyond 2⁵³ neighbouring
 * integers are one number: as ids they would put two visitors into one session.
 *
 * `place`: where a framework's caller was to put the id.
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
