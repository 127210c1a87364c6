import type { StoredSession } from '../store.ts'
import type { CheckedStore } from './checked-store.ts'

/** How a stored session is read: at an instant, in epoch milliseconds. */
export interface StoredReadOptions {
  readonly signal: AbortSignal
  readonly now: number
  /** The absolute timeout, in milliseconds. */
  readonly maxAgeMs: number
}

/**
 * Returns the stored session of an id. One that has reached its absolute timeout is deleted, and is absent.
 * Rejects with the error of the store.
 */
export async function readStored(
  store: CheckedStore,
  id: string,
  { signal, now, maxAgeMs }: StoredReadOptions,
): Promise<StoredSession | undefined> {
  const stored = await store.get(id, { signal })
  if (stored === undefined || now - stored.createdAt < maxAgeMs) return stored
  await store.delete(id, { signal, replaces: stored.revision })
  return undefined
}

/** Whether a stored session still counts at an instant: one that was not active for `keepMs` is absent. */
export function isKept({ lastActiveAt }: StoredSession, keepMs: number, now: number): boolean {
  return now - lastActiveAt < keepMs
}
