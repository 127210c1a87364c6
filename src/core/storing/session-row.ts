import type { StoredSession } from '../store.ts'
import { storedSession, unreadable, withId } from './session-text.ts'
import { hashText } from './text-hash.ts'

/** The timeout column of a session without its own timeout. */
const noTimeout = -1

/** The owner columns of a session without an owner. */
const noOwner = ''

/**
 * The columns of a table of sessions, in the order of {@link rowOf}.
 *
 * Each name is one word, so that a client that renames columns has nothing to rename. None is ever NULL,
 * because libraries disagree on a missing parameter. Ids and owners are JSON, which escapes text that a
 * database would change.
 */
export const columns = [
  'key',
  'id',
  'text',
  'revision',
  'created',
  'active',
  'timeout',
  'ownerkey',
  'owner',
] as const

/** Returns the values of all {@link columns}. */
export function rowOf(session: StoredSession): (string | number)[] {
  const { id, text, revision, createdAt, lastActiveAt, timeoutMs = noTimeout, owner } = session
  const ownerValues = owner === undefined ? [noOwner, noOwner] : [hashText(owner), JSON.stringify(owner)]
  return [
    hashText(id),
    JSON.stringify(id),
    text,
    revision,
    createdAt,
    lastActiveAt,
    timeoutMs,
    ...ownerValues,
  ]
}

/** Returns the session of a row under the key of this id. Throws if the row is damaged. */
export function sessionOf(row: unknown, id: string): StoredSession {
  const { text, revision, created, active, timeout, owner } = row as Partial<Record<string, unknown>>
  const timeoutMs = Number(timeout)
  const session = storedSession({
    id: idOf(row),
    text,
    revision,
    createdAt: Number(created),
    lastActiveAt: Number(active),
    timeoutMs: timeoutMs === noTimeout ? undefined : timeoutMs,
    owner: owner === noOwner ? undefined : parsedText(owner),
  })
  return withId(session, id)
}

/** Returns the id in a row. */
export function idOf(row: unknown): string {
  return parsedText((row as { readonly id?: unknown }).id)
}

function parsedText(json: unknown): string {
  try {
    return String(JSON.parse(String(json)))
  } catch {
    throw unreadable()
  }
}
