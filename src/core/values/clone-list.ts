import { invalidValue } from '../errors/invalid-value.ts'
import { type CopyRules, cloneValue } from './clone-value.ts'

/** What an adapter knows of the lists of its framework. */
export interface ListRules extends CopyRules {
  /** What an entry has to be, in words for a message. */
  readonly rule: string
  isEntry(entry: unknown): boolean
}

/**
 * Returns a deep copy of a list that an adapter was given: {@link cloneValue}, once every entry is one.
 *
 * It is made before the turn that stores it, so that what is refused has changed and created nothing.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`, with the path
 */
export function cloneList<V>(name: string, list: readonly V[], rules: ListRules): V[] {
  if (!Array.isArray(list)) throw invalidValue(name, 'an array', list)
  // Not `findIndex`: a hole is no entry either.
  for (let index = 0; index < list.length; index += 1) {
    if (!isEntry(list[index], rules)) throw invalidValue(`${name}[${index}]`, rules.rule, list[index])
  }
  return cloneValue(name, list as V[], rules)
}

function isEntry(entry: unknown, rules: ListRules): boolean {
  try {
    return rules.isEntry(entry)
  } catch {
    // A proxy that refuses to be read.
    return false
  }
}
