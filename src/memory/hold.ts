import type { Timer } from '../core/clock.ts'
import type { SessionRecord } from './table/session-record.ts'

/**
 * Keeps a session from ending until it is released, or for `maxTurnMs` at the longest.
 *
 * Releasing it is activity: the idle time starts again.
 *
 * @example
 * using hold = registry.hold(id)
 */
export interface Hold {
  /** Harmless when called twice, and after the session was deleted. */
  release(): void
  [Symbol.dispose](): void
}

/** A hold as the registry keeps it. */
export class HoldTicket<T> implements Hold {
  /** The session that is held; `undefined` once it is not. */
  record: SessionRecord<T> | undefined
  timer: Timer | undefined
  readonly #release: (ticket: HoldTicket<T>) => void

  constructor(record: SessionRecord<T>, release: (ticket: HoldTicket<T>) => void) {
    this.record = record
    this.#release = release
  }

  release(): void {
    if (this.record !== undefined) this.#release(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
