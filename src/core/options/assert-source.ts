import type { SessionSource } from '../session-source.ts'
import { invalidOption } from './validate.ts'

/**
 * The source that an adapter was given, refused at once where it is none.
 *
 * Known by `run`, which every adapter calls: a source may be of another copy of the library, or the user's
 * own.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function assertSource<T>(source: SessionSource<T>): SessionSource<T> {
  if (typeof source?.run === 'function') return source
  throw invalidOption('source', 'a session registry', source)
}
