import type { StoredSession } from '../store.ts'

/**
 * `JSON.stringify(Infinity)` is `null`, which would turn a session that never expires into one with the
 * default timeout.
 */
const never = 'Infinity'

/** Returns a session as one JSON text. */
export function encodeSession(session: StoredSession): string {
  const { id, revision, createdAt, lastActiveAt, timeoutMs, owner, text } = session
  const written = timeoutMs === Number.POSITIVE_INFINITY ? never : timeoutMs
  return JSON.stringify({ id, revision, createdAt, lastActiveAt, timeoutMs: written, owner, text })
}

/**
 * Returns the session that {@link encodeSession} wrote.
 *
 * Throws at anything else, half a text included: what cannot be read is there all the same, and must not look
 * like a miss.
 */
export function decodeSession(json: string): StoredSession {
  const { id, revision, createdAt, lastActiveAt, timeoutMs, owner, text } = parseObject(json)
  return storedSession({
    id,
    revision,
    createdAt,
    lastActiveAt,
    timeoutMs: timeoutMs === never ? Number.POSITIVE_INFINITY : timeoutMs,
    owner,
    text,
  })
}

/** The fields of a {@link StoredSession} as they were read, not yet checked. */
type ReadFields = { readonly [field in keyof StoredSession]-?: unknown }

/** Returns the session that was read. Throws where a field is not what a store wrote. */
export function storedSession(read: ReadFields): StoredSession {
  const { id, text, revision, createdAt, lastActiveAt, timeoutMs, owner } = read
  if (typeof id !== 'string' || typeof text !== 'string' || typeof revision !== 'string') throw unreadable()
  if (typeof createdAt !== 'number' || typeof lastActiveAt !== 'number') throw unreadable()
  if (!(timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs > 0))) throw unreadable()
  if (!(owner === undefined || typeof owner === 'string')) throw unreadable()
  return {
    id,
    text,
    revision,
    createdAt,
    lastActiveAt,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(owner === undefined ? {} : { owner }),
  }
}

/** Returns the session if it is that of the id under whose key it was found; throws if it is another's. */
export function withId(session: StoredSession, id: string): StoredSession {
  if (session.id === id) return session
  throw new Error('What is stored under the key of this session belongs to another session')
}

/** The error of a stored session that is damaged. Without the parser's own words, which quote the text. */
export function unreadable(): Error {
  return new Error('What is stored for this session is not a whole session that this library has written')
}

function parseObject(json: string): Partial<Record<keyof StoredSession, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch {
    throw unreadable()
  }
  if (typeof parsed !== 'object' || parsed === null) throw unreadable()
  return parsed
}
