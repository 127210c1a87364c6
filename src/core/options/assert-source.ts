import type { SessionSource } from '../session-source.ts'
import { invalidOption } from './validate.ts'

/**
 * Returns the source of an adapter, after a check that it is one.
 *
 * It is recognised by `run`, which every adapter calls: a source may be of another copy of the library, or
 * the user's own.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function assertSource<T>(source: SessionSource<T>): SessionSource<T> {
  if (typeof source?.run === 'function') return source
  throw invalidOption('source', 'a session registry', source)
}
