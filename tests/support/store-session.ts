import { randomUUID } from 'node:crypto'
import type { StoredSession } from 'session-registry'

/** A session as it is stored, with a revision of its own. */
export function storedSession(fields: Partial<StoredSession> = {}): StoredSession {
  return {
    id: 'ada',
    text: '["hello"]',
    revision: randomUUID(),
    createdAt: 1_764_000_000_000,
    lastActiveAt: 1_764_000_100_000,
    ...fields,
  }
}

/** The context of a call that is never aborted. */
export function context(): { signal: AbortSignal } {
  return { signal: new AbortController().signal }
}

/** The context of a `put` that is never aborted. */
export function replacing(replaces: string | null | undefined): {
  signal: AbortSignal
  replaces: string | null | undefined
} {
  return { ...context(), replaces }
}
