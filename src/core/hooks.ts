import type { ArchiveReason } from './end-reason.ts'
import type { Session } from './session.ts'

/** Makes the value of a new session. */
export type CreateSession<T> = (id: string) => T

/**
 * Brings back the value of an archived session; `undefined` where there is none.
 *
 * `signal` aborts when the result is wanted no more: no caller waits any longer, the id was deleted or set,
 * `loadTimeoutMs` has passed, or the registry closes.
 */
export type LoadSession<T> = (
  id: string,
  context: { readonly signal: AbortSignal },
) => T | undefined | PromiseLike<T | undefined>

/**
 * Puts a session's value away before it is let go; what it returns is awaited.
 *
 * `signal` aborts when the try counts no more: the session was deleted or replaced, `archiveTimeoutMs` has
 * passed, or the registry could wait no longer to close. A hook that then still writes brings back what was
 * deleted, so hand the signal on to what writes, or look at it before you commit.
 */
export type ArchiveSession<T> = (
  session: Session<T>,
  reason: ArchiveReason,
  context: {
    /** Aborts when the time of this try is up, and when nothing can come of it any more. */
    readonly signal: AbortSignal
    /** Counts from 1; on Redis over all processes. */
    readonly attempt: number
    /**
     * Only on Redis, and then `true`: a younger life of the id was archived before this one, or the id was
     * deleted since. The value is an older state, tried again from the dead list, that must not be stored
     * over a younger one.
     */
    readonly superseded?: boolean
  },
) => unknown
