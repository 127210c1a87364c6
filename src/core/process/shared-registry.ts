import { checkFunction, checkText, invalidOption } from '../options/validate.ts'
import { processSingleton } from './process-singleton.ts'

/** The part of a registry that is used here; another copy of the library may have made it. */
interface Shareable {
  readonly state: 'open' | 'closing' | 'closed'
}

/**
 * Returns the process's one registry of a key, made at the first call. A closed registry is replaced by a new
 * one.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function sharedRegistry<R extends Shareable>(key: string, make: () => R): R {
  checkText('key', key)
  checkFunction('make', make)
  const registries = processSingleton('shared', () => new Map<string, Shareable>())
  const found = registries.get(key)
  if (found !== undefined && found.state !== 'closed') return found as R
  const made = make()
  if (typeof made?.state !== 'string') throw invalidOption('make', 'a function that returns a registry', made)
  registries.set(key, made)
  return made
}
