import { SessionRegistryError } from '../errors/session-registry-error.ts'
import { hasStore } from '../session-lifetime.ts'
import type { SessionSource } from '../session-source.ts'
import { systemClock } from '../time/clock.ts'
import { exitScope } from '../turns/turn-scope.ts'

/** The longest wait for the store, in milliseconds: a person waits, and a healthy store takes a moment. */
const limitMs = 3_000

/**
 * Ends a session, and waits until it is deleted from the store. Of a source that is not known to have one
 * nothing is awaited: its `load` could find what the application has yet to delete, and bring it back.
 *
 * Rejects with `ERR_SESSION_STORE_FAILED` if the store has not done it within 3 seconds. The session has
 * ended all the same, its id is not read until then, and the deletion goes on.
 */
export async function deleteStored<T>(source: SessionSource<T>, id: string): Promise<void> {
  await source.delete(id)
  if (hasStore(source)) await whenDeleted(source, id)
}

/**
 * `open` waits for the deletion of its id; inside a turn of that id it would return the session of the turn.
 */
async function whenDeleted<T>(source: SessionSource<T>, id: string): Promise<void> {
  const limit = new AbortController()
  const timer = systemClock.setTimeout(() => limit.abort(tooLongError()), limitMs)
  try {
    await exitScope(() => source.open(id, { create: false, signal: limit.signal }))
  } finally {
    systemClock.clearTimeout(timer)
  }
}

function tooLongError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_STORE_FAILED',
    `Expected the store to delete the session within ${limitMs} ms, but it did not; the deletion goes on`,
  )
}
