import { SessionRegistryError } from './errors.ts'

/**
 * A deep copy of a list that an adapter was given, which nobody else holds.
 *
 * It is made before the turn that stores it, so that what is refused has changed and created nothing.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function copiedList<V>(
  name: string,
  list: readonly V[],
  rule: string,
  isOne: (entry: unknown) => boolean,
): V[] {
  if (!Array.isArray(list)) throw invalidValue(`Expected \`${name}\` to be an array`)
  const wrong = list.findIndex((entry) => !isOne(entry))
  if (wrong >= 0) throw invalidValue(`Expected \`${name}[${wrong}]\` to be ${rule}`)
  try {
    return structuredClone(list) as V[]
  } catch (cause) {
    throw invalidValue(`Expected \`${name}\` to be plain data that can be copied`, cause)
  }
}

function invalidValue(message: string, cause?: unknown): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_VALUE_INVALID', message, cause === undefined ? {} : { cause })
}
