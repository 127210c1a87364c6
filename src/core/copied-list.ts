import { invalidValue, unusableValue } from './invalid-value.ts'

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
  if (!Array.isArray(list)) throw invalidValue(name, 'an array', list)
  const wrong = list.findIndex((entry) => !isOne(entry))
  if (wrong >= 0) throw invalidValue(`${name}[${wrong}]`, rule, list[wrong])
  try {
    return structuredClone(list) as V[]
  } catch (cause) {
    throw unusableValue(name, 'plain data that can be copied', cause)
  }
}
