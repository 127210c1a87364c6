import { invalidOption } from '../options/validate.ts'

/** The longest name, in characters, that every database keeps whole, with the suffix of an index. */
const maxLength = 48

/**
 * Returns a name that can be quoted in SQL.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkIdentifier(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= maxLength && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) {
    return value
  }
  const rule = `an identifier: at most ${maxLength} letters, digits and underscores, the first of them not a digit`
  throw invalidOption(name, rule, value)
}
