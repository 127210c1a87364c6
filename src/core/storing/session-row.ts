import type { StoredSession } from '../store.ts'
import { storedSession, unreadable, withId } from './session-text.ts'
import { hashText } from './text-hash.ts'

/** What stands in the column of a timeout that a session does not have. */
const noTimeout = -1

/** What stands in the columns of an owner that a session does not have. */
const noOwner = ''

/**
 * The columns of a table of sessions, in the order of {@link rowOf}.
 *
 * Each has a name of one word, so that a client that renames columns has nothing to rename. None is ever
 * NULL, since libraries do not agree on how a missing parameter is given. Ids and owners are JSON: text that
 * a database would change is escaped in it.
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

/**
 * Returns the session of a row that was found under the key of this id. Throws where it is not what was
 * written.
 */
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
