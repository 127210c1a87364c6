import type { StoredSession } from '../store.ts'
import { decodeSession, encodeSession, unreadable, withId } from './session-text.ts'

/**
 * The beginning of each text in a key-value library.
 *
 * So the text is not JSON: libraries parse what looks like JSON, and return something other than what was
 * written.
 */
const mark = 's1:'

/** Returns the text of a session for a key-value library. */
export function frameSession(session: StoredSession): string {
  return `${mark}${encodeSession(session)}`
}

/**
 * Returns the session that {@link frameSession} wrote, or `undefined` if the library found nothing.
 *
 * Throws for everything else: some libraries return an error, or the text of an error page, as the value.
 */
export function unframeSession(found: unknown, id: string): StoredSession | undefined {
  if (found === undefined || found === null) return undefined
  if (found instanceof Error) throw found
  if (typeof found !== 'string' || !found.startsWith(mark)) throw unreadable()
  return withId(decodeSession(found.slice(mark.length)), id)
}
