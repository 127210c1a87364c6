import type { CreateSession } from '../hooks.ts'
import type { Session } from '../session.ts'

/**
 * Work on one session across `await`. While it runs, the session cannot end by time or for room.
 *
 * `signal` aborts when the turn should stop: it took longer than `maxTurnMs`, a later turn interrupts it, the
 * caller's own signal aborted, the session was deleted, or the registry is closing and the deadline has
 * passed.
 */
export type Turn<T, R> = (session: Session<T>, signal: AbortSignal) => R | PromiseLike<R>

/**
 * What a turn does that finds another one running on its session.
 *
 * - `wait`: first come, first served
 * - `reject`: fail with `ERR_SESSION_BUSY`
 * - `interrupt`: abort the running turn's signal, wait for it to settle, then run ahead of those waiting
 * - `join`: run beside it; for reads, since it excludes nobody
 */
export type WhenBusy = 'wait' | 'reject' | 'interrupt' | 'join'

/**
 * A turn that yields: an async generator function. It runs while somebody reads what it yields.
 *
 * `signal` aborts as that of a {@link Turn} does, and when the reader leaves.
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
  /** Takes a waiting turn out of the queue and aborts the signal of a running one. */
  readonly signal?: AbortSignal | undefined
  /**
   * `false`: where there is no session, nor one to load, the turn is not called and the result is
   * `undefined`. A function makes the value of a new session, instead of the registry's `create`.
   *
   * @defaultValue true
   */
  readonly create?: boolean | CreateSession<T> | undefined
}
