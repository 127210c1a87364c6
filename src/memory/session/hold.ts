import { LazySignal } from '../../core/async/hook-call.ts'
import type { Session } from '../../core/session.ts'
import type { Timer } from '../../core/time/clock.ts'
import type { SessionRecord } from './session-record.ts'

/**
 * A hold: it keeps a session from ending until it is released, at most for its `maxMs`.
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
   * Aborts when its session ends (`ERR_SESSION_ENDED`), or the hold has lasted for its `maxMs`
   * (`ERR_SESSION_TURN_TIMEOUT`); not when it is released.
   */
  readonly signal: AbortSignal
  /**
   * Extends the hold: it may last for its `maxMs` from now. Returns whether it still holds, which it does not
   * once it was released or timed out, or the session was deleted or replaced.
   */
  renew(): boolean
  /** Ends the hold. Does nothing if it has ended already. */
  release(): void
  [Symbol.dispose](): void
}

/** What a hold needs of the scheduler that made it. */
export interface HoldHost<T> {
  /** Monotonic time at which the hold is taken. */
  readonly begunAt: number
  /** Starts the timer of the hold's `maxMs`; `undefined` where it is infinite. */
  startTimer(ticket: HoldTicket<T>): Timer | undefined
  release(ticket: HoldTicket<T>): void
  defer(action: () => void): void
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** The registry's side of a {@link Hold}. Printed, it shows neither an id nor a value. */
export class HoldTicket<T> implements Hold<T> {
  readonly #session: Session<T>
  readonly #host: HoldHost<T>
  #record: SessionRecord<T> | undefined
  readonly #signal = new LazySignal()
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

  get signal(): AbortSignal {
    return this.#signal.signal
  }

  /** Monotonic time at which it was taken. */
  get begunAt(): number {
    return this.#host.begunAt
  }

  /** Aborts its signal, among the events of the present step. */
  abort(reason: unknown): void {
    this.#host.defer(() => this.#signal.abort(reason))
  }

  /** The record of the session; `undefined` once the hold has ended. */
  get record(): SessionRecord<T> | undefined {
    return this.#record
  }

  /** Ends the hold, without releasing the session. */
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
