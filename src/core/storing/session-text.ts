import type { StoredSession } from '../store.ts'

/**
 * The timeout of a session that never expires: `JSON.stringify(Infinity)` is `null`, which would mean the
 * default.
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
 * Throws for anything else, an incomplete text included: a damaged session must not look like a miss.
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

/** The fields of a {@link StoredSession} as read, not yet checked. */
type ReadFields = { readonly [field in keyof StoredSession]-?: unknown }

/** Returns the session of fields that were read. Throws if a field is damaged. */
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

/** Returns the session if it has this id, under whose key it was found; throws if it has another. */
export function withId(session: StoredSession, id: string): StoredSession {
  if (session.id === id) return session
  throw new Error('The session stored under this key has another id')
}

/** The error of a damaged session. It has no cause, since the parser's message quotes the text. */
export function unreadable(): Error {
  return new Error('The stored session is damaged, or was not written by this library')
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
