import { checkId } from './validate.ts'

/**
 * The session id for what an adapter was given: frameworks pass numbers too, and a number becomes its string.
 *
 * `place`: where a framework's caller was to put it.
 *
 * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
 */
export function givenId(id: string | number, place?: string): string {
  // `NaN` and `Infinity` come from a failed conversion: as ids they would put many visitors into one session.
  return checkId(Number.isFinite(id) ? String(id) : (id as string), place)
}
