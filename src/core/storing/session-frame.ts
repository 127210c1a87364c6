import type { StoredSession } from '../store.ts'
import { decodeSession, encodeSession, unreadable, withId } from './session-text.ts'

/**
 * What the text begins with in a key-value library.
 *
 * It is not JSON then: libraries parse what looks like JSON by themselves, and give back something else than
 * was written.
 */
const mark = 's1:'

/** Returns the text that a key-value library is given for a session. */
export function frameSession(session: StoredSession): string {
  return `${mark}${encodeSession(session)}`
}

/**
 * Returns the session of this id that {@link frameSession} wrote, or `undefined` if the library found
 * nothing.
 *
 * Throws at everything else: some libraries give an error, or the text of an error page, as the value.
 */
export function unframeSession(found: unknown, id: string): StoredSession | undefined {
  if (found === undefined || found === null) return undefined
  if (found instanceof Error) throw found
  if (typeof found !== 'string' || !found.startsWith(mark)) throw unreadable()
  return withId(decodeSession(found.slice(mark.length)), id)
}
