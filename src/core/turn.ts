import type { Session } from './session.ts'

/**
 * Work on one session across `await`. While it runs, the session cannot end by time or for room.
 *
 * `signal` aborts when the turn should stop: it took longer than `maxTurnMs`, a later turn interrupts it, the caller's
 * own signal aborted, the session was deleted, or the registry is closing and the deadline has passed.
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

export interface RunOptions {
  /** @defaultValue 'wait' */
  readonly whenBusy?: WhenBusy | undefined
  /** Takes a waiting turn out of the queue and aborts the signal of a running one. */
  readonly signal?: AbortSignal | undefined
  /**
   * `false`: where there is no session, nor one to load, the turn is not called and the result is `undefined`.
   *
   * @defaultValue true
   */
  readonly create?: boolean | undefined
}
