import type { EndReason, ExpiryReason } from './end-reason.ts'
import type { GoneSession } from './gone-session.ts'
import type { OpenOptions, WhyGoneOptions } from './options/call-options.ts'
import type { Session } from './session.ts'
import type { RunOptions, StreamTurn, Turn } from './turns/turn.ts'

/**
 * The narrow interface that adapters use and every registry implements.
 *
 * Results may be promises, since one registry is synchronous and the other is not.
 */
export interface SessionSource<T> {
  run<R>(
    id: string,
    turn: Turn<T, R>,
    options: RunOptions<T> & { readonly create: false },
  ): Promise<R | undefined>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions<T>): Promise<R>
  /**
   * Yields what a turn yields. The turn lasts from the first `next()` until it was read to its end, left, or
   * has failed.
   */
  stream<Y>(
    id: string,
    turn: StreamTurn<T, Y>,
    options?: RunOptions<T>,
  ): AsyncGenerator<Y, unknown, undefined>
  open(id: string, options: OpenOptions<T> & { readonly create: false }): Promise<T | undefined>
  open(id: string, options?: OpenOptions<T>): Promise<T>
  peek(id: string): Session<T> | undefined | Promise<Session<T> | undefined>
  delete(id: string): boolean | Promise<boolean>
  /** The ids of live sessions. */
  keys(): Iterable<string> | AsyncIterable<string>
  /** Why and when the last session of an id ended, within `tombstoneMs`; `undefined` if it is not gone. */
  whyGone(id: string, options?: WhyGoneOptions): GoneSession | undefined | Promise<GoneSession | undefined>
  on(event: 'created', listener: (session: Session<T>) => void): unknown
  on(event: 'expired', listener: (session: Session<T>, reason: ExpiryReason) => void): unknown
  on(event: 'ended', listener: (session: Session<T>, reason: EndReason) => void): unknown
  off(event: 'created', listener: (session: Session<T>) => void): unknown
  off(event: 'expired', listener: (session: Session<T>, reason: ExpiryReason) => void): unknown
  off(event: 'ended', listener: (session: Session<T>, reason: EndReason) => void): unknown
}
