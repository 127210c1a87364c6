import type { Session } from '../../core/session.ts'
import type { Timer } from '../../core/time/clock.ts'
import type { SessionRecord } from './session-record.ts'

/**
 * Keeps a session from ending until it is released, or for its `maxMs` at the longest.
 *
 * Releasing it is activity: the idle time starts again.
 *
 * @example
 * using hold = registry.hold(id)
 */
export interface Hold<T = unknown> {
  /** The session that is held. It stays readable after the hold and the session have ended. */
  readonly session: Session<T>
  /**
   * Starts the time of the hold again: it may last for its `maxMs` from now. Returns whether it still holds, which it does not
   * once it was released, its time was up or the session was deleted.
   */
  renew(): boolean
  /** Harmless when called twice, and after the session was deleted. */
  release(): void
  [Symbol.dispose](): void
}

/** What bounds a hold, and ends it. */
export interface HoldHost<T> {
  /** Starts the time that the hold may last; `undefined` where it may for ever. */
  startTimer(ticket: HoldTicket<T>): Timer | undefined
  release(ticket: HoldTicket<T>): void
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** A hold as the registry keeps it. What is printed of it shows neither an id nor a value. */
export class HoldTicket<T> implements Hold<T> {
  readonly #session: Session<T>
  readonly #host: HoldHost<T>
  #record: SessionRecord<T> | undefined
  #timer: Timer | undefined

  constructor(record: SessionRecord<T>, session: Session<T>, host: HoldHost<T>) {
    this.#record = record
    this.#session = session
    this.#host = host
    this.#timer = host.startTimer(this)
  }

  get session(): Session<T> {
    return this.#session
  }

  /** The session that is held; `undefined` once it is not. */
  get record(): SessionRecord<T> | undefined {
    return this.#record
  }

  /** It holds no longer. */
  end(): void {
    this.#record = undefined
    this.#timer?.cancel()
  }

  renew(): boolean {
    if (this.#record === undefined) return false
    this.#timer?.cancel()
    this.#timer = this.#host.startTimer(this)
    return true
  }

  release(): void {
    if (this.#record !== undefined) this.#host.release(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }

  [inspect](): string {
    return `Hold { held: ${this.#record !== undefined} }`
  }
}
