import type { CreateSession } from '../hooks.ts'
import type { Session } from '../session.ts'

/**
 * Work on one session across `await`. While it runs, the session neither expires nor is evicted.
 *
 * `signal` aborts when the turn should stop: `maxTurnMs` has passed, a later turn interrupts it, the caller's
 * own signal aborted, the session was deleted or replaced, or the deadline of `close` has passed.
 */
export type Turn<T, R> = (session: Session<T>, signal: AbortSignal) => R | PromiseLike<R>

/**
 * What a turn does when another one is running on its session.
 *
 * - `wait`: first come, first served
 * - `reject`: fail with `ERR_SESSION_BUSY`
 * - `interrupt`: abort the signal of the running turn, wait until it settles, then run ahead of waiting turns
 * - `join`: run beside it; for reads, since it excludes no one
 */
export type WhenBusy = 'wait' | 'reject' | 'interrupt' | 'join'

/**
 * A turn that yields: an async generator function. It runs while it is being read.
 *
 * `signal` aborts as that of a {@link Turn}, and when the reader leaves.
 */
export type StreamTurn<T, Y> = (
  session: Session<T>,
  signal: AbortSignal,
) => AsyncGenerator<Y, unknown, undefined>

/** Options of one call of `run` or `stream`. */
export interface RunOptions<T = never> {
  /**
   * What the turn does if another one is running.
   *
   * @defaultValue 'wait'
   */
  readonly whenBusy?: WhenBusy | undefined
  /**
   * The longest time from the call until the turn begins, whatever it waits for; then the call rejects with
   * `ERR_SESSION_BUSY`. 0 is `whenBusy: 'reject'`.
   *
   * Milliseconds; zero, positive, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly waitMs?: number | undefined
  /** When it aborts, a waiting turn leaves the queue, and the signal of a running one aborts. */
  readonly signal?: AbortSignal | undefined
  /**
   * Whether a session is created where there is none, nor one to load. With `false` the turn is then not
   * called, and the result is `undefined`. A function makes the value of the new session, instead of the
   * registry's `create`.
   *
   * @defaultValue true
   */
  readonly create?: boolean | CreateSession<T> | undefined
  /**
   * To whom the session belongs. One that is created is bound to it; one that belongs to another owner, or to
   * no one, is refused with `ERR_SESSION_NOT_OWNER`.
   *
   * A non-empty string of at most 1 024 UTF-16 units.
   */
  readonly owner?: string | undefined
}
