import { invalidValue } from '../errors/invalid-value.ts'
import { type CopyRules, cloneValue } from './clone-value.ts'

/** The rules of an adapter for the lists of its framework. */
export interface ListRules extends CopyRules {
  /** What an entry must be, in words for a message. */
  readonly rule: string
  isEntry(entry: unknown): boolean
}

/**
 * Returns a deep copy of a list by {@link cloneValue}, after a check of every entry.
 *
 * It is made before the turn that stores it, so that a rejected list has changed and created nothing.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`, with the path
 */
export function cloneList<V>(name: string, list: readonly V[], rules: ListRules): V[] {
  if (!Array.isArray(list)) throw invalidValue(name, 'an array', list)
  // Not `findIndex`: a hole is not an entry either.
  for (let index = 0; index < list.length; index += 1) {
    if (!isEntry(list[index], rules)) throw invalidValue(`${name}[${index}]`, rules.rule, list[index])
  }
  return cloneValue(name, list as V[], rules)
}

function isEntry(entry: unknown, rules: ListRules): boolean {
  try {
    return rules.isEntry(entry)
  } catch {
    // A proxy that throws.
    return false
  }
}
