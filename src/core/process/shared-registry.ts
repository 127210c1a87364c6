import { checkFunction, checkText, invalidOption } from '../options/validate.ts'
import { processSingleton } from './process-singleton.ts'

/** What has to be known of a registry that another copy of the library may have made. */
interface Shareable {
  readonly state: 'open' | 'closing' | 'closed'
}

/**
 * Returns the process's one registry of a key, made when it is first asked for.
 *
 * A registry that was closed is replaced by a new one.
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
