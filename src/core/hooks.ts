import type { ArchiveReason } from './end-reason.ts'
import type { Session } from './session.ts'

/** Makes the value of a new session. */
export type CreateSession<T> = (id: string) => T

/**
 * Returns the value of an archived session; `undefined` if there is none.
 *
 * `signal` aborts when the result is no longer needed: no caller waits any more, the id was deleted or set,
 * `loadTimeoutMs` has passed, or the registry closes.
 */
export type LoadSession<T> = (
  id: string,
  context: { readonly signal: AbortSignal },
) => T | undefined | PromiseLike<T | undefined>

/**
 * Stores the value of a session before the session ends; the result is awaited.
 *
 * `signal` aborts when the attempt no longer counts: the session was deleted or replaced, `archiveTimeoutMs`
 * has passed, or the deadline of `close` has. A hook that still writes then would bring back what was
 * deleted. So pass the signal on to what writes, or check it before you commit.
 */
export type ArchiveSession<T> = (
  session: Session<T>,
  reason: ArchiveReason,
  context: {
    /** Aborts when this attempt has timed out, or no longer counts. */
    readonly signal: AbortSignal
    /** The number of this attempt, from 1; on Redis over all processes. */
    readonly attempt: number
    /**
     * `true` (on Redis only) if a younger incarnation of the id was archived before this one, or the id was
     * deleted since. The value is an older state, retried from the dead letters, and must not overwrite a
     * younger one.
     */
    readonly superseded?: boolean
  },
) => unknown
