import type { ArchiveReason, EndReason } from './end-reason.ts'
import type { Session } from './session.ts'

/** What a `create` function is given beside the id. */
export interface CreateContext {
  /**
   * Aborts when what an asynchronous `create` makes is no longer wanted: no caller waits any more, the id was
   * deleted or set, `loadTimeoutMs` has passed, or the registry closes. What it makes all the same is
   * disposed of.
   */
  readonly signal: AbortSignal
}

/**
 * Makes the value of a new session. An asynchronous one is for `open`, `run`, `stream` and `acquire`.
 *
 * It counts towards `maxSessions` until it settles, for `loadTimeoutMs` at most. One that rejects has to have
 * released by then what it holds.
 */
export type CreateSession<T> = (id: string, context: CreateContext) => T | PromiseLike<T>

/** Makes the value of a new session, synchronously. */
export type CreateNow<T> = (id: string, context: CreateContext) => T

/**
 * Releases what a value holds: a process, a page, a socket. Called once for each value whose session has
 * ended; the result is awaited, for `disposeTimeoutMs` at most.
 */
export type DisposeSession<T> = (
  value: T,
  reason: EndReason,
  context: {
    /** Aborts when `disposeTimeoutMs` has passed, and at the last deadline of `close`: the place is free. */
    readonly signal: AbortSignal
    /** Whether the value was archived, or a store has it. */
    readonly archived: boolean
  },
) => unknown

/** What a `load` function is given beside the id. */
export interface LoadContext {
  readonly signal: AbortSignal
  /**
   * To whom the caller says that the session belongs, if it says so. The hook has to check it: what it
   * returns is bound to that owner. No session is created for an owner for whom it was not called.
   */
  readonly owner: string | undefined
}

/**
 * Returns the value of an archived session; `undefined` if there is none.
 *
 * `signal` aborts when the result is no longer needed: no caller waits any more, the id was deleted or set,
 * `loadTimeoutMs` has passed, or the registry closes.
 */
export type LoadSession<T> = (id: string, context: LoadContext) => T | undefined | PromiseLike<T | undefined>

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
    /**
     * The number of this attempt, from 1; on Redis over all processes. It starts at 1 again for a dead letter
     * that is retried or was revived.
     */
    readonly attempt: number
    /**
     * `true` (on Redis only) if a younger incarnation of the id was archived before this one, or the id was
     * deleted since. The value is an older state, retried from the dead letters, and must not overwrite a
     * younger one.
     */
    readonly superseded?: boolean
  },
) => unknown
