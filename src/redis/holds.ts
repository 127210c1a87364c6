import { abortReason } from '../core/async/abort-listeners.ts'
import { holdTimeoutError } from '../core/errors/turn-errors.ts'
import type { CheckedAcquire } from '../core/options/call-options.ts'
import type { Session } from '../core/session.ts'
import type { Timer } from '../core/time/clock.ts'
import type { Watchdog } from '../core/turns/watchdog.ts'
import type { Gate } from './gate.ts'
import type { Opener } from './opener.ts'
import type { HoldUser, SharedHold, SharedHolds, Taken } from './shared-holds.ts'
import type { Teller } from './teller.ts'
import { untilAborted } from './until-aborted.ts'

/**
 * Keeps a session from ending, for all processes, until it is released, or for its `maxMs` at the longest.
 *
 * Releasing it is activity: the idle time starts again.
 *
 * @example
 * await using hold = await registry.hold(id)
 */
export interface RedisHold<T = unknown> extends AsyncDisposable {
  /** A copy of the session that is held, as it was when the hold was taken. */
  readonly session: Session<T>
  /**
   * Starts the time of the hold again: it may last for its `maxMs` from now. Returns whether it still holds, which it does not
   * once it was released, its time was up, the session was deleted, or another process took it over. Rejects with the codes
   * of the store.
   */
  renew(): Promise<boolean>
  /** Harmless when called twice, and after the session was deleted. Rejects with the codes of the store. */
  release(): Promise<void>
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** A hold as the registry keeps it. What is printed of it shows neither an id nor a value. */
class HoldTicket<T> implements RedisHold<T>, HoldUser {
  readonly #keeper: HoldKeeper<T>
  #hold: SharedHold<T> | undefined
  #session: Session<T> | undefined
  #limit: Timer | undefined
  #isOver = false
  #released: Promise<void> | undefined

  constructor(keeper: HoldKeeper<T>) {
    this.#keeper = keeper
  }

  get session(): Session<T> {
    return this.#session as Session<T>
  }

  get isOver(): boolean {
    return this.#isOver
  }

  begin(hold: SharedHold<T>, session: Session<T>): void {
    this.#hold = hold
    this.#session = session
    if (!this.#isOver) this.#limit = this.#keeper.bound(this)
  }

  async renew(): Promise<boolean> {
    if (this.#isOver) return false
    this.#limit?.cancel()
    this.#limit = this.#keeper.bound(this)
    await this.#hold?.lease.renew()
    return !this.#isOver
  }

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  /** The session has ended, or another process took it over. */
  lost(): void {
    this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  [inspect](): string {
    return `Hold { held: ${!this.#isOver} }`
  }

  async #release(): Promise<void> {
    if (this.#isOver) return
    this.#end()
    if (this.#hold !== undefined) await this.#keeper.leave(this.#hold, this)
  }

  #end(): void {
    this.#isOver = true
    this.#limit?.cancel()
    this.#keeper.ended(this)
  }
}

/** What bounds a hold, and ends it. */
interface HoldKeeper<T> {
  /** Starts the time that the hold may last; `undefined` where it may for ever. */
  bound(ticket: HoldTicket<T>): Timer | undefined
  leave(hold: SharedHold<T>, ticket: HoldTicket<T>): Promise<unknown>
  ended(ticket: HoldTicket<T>): void
}

/** The holds of this process. */
export class Holds<T> {
  readonly #shared: SharedHolds<T>
  readonly #opener: Opener<T>
  readonly #teller: Teller<T>
  readonly #watchdog: Watchdog
  readonly #tickets = new Set<HoldTicket<T>>()
  /** Called when a hold is gone. */
  whenSettled: (() => void) | undefined = undefined

  constructor(shared: SharedHolds<T>, opener: Opener<T>, teller: Teller<T>, watchdog: Watchdog) {
    this.#shared = shared
    this.#opener = opener
    this.#teller = teller
    this.#watchdog = watchdog
  }

  get count(): number {
    return this.#tickets.size
  }

  get ids(): string[] {
    return [...this.#tickets].map(({ session }) => session.id)
  }

  /** Holds a live session. */
  async take(id: string, maxMs: number): Promise<RedisHold<T> | undefined> {
    const ticket = this.#ticket(id, maxMs)
    const entered = await this.#shared.take(id, ticket, { reads: true })
    return entered.state === 'live' ? this.#begin(ticket, entered) : undefined
  }

  /**
   * Holds a session, which is brought to life where it is absent.
   *
   * Rejects with what `load` or the factory failed with, with the codes of the store, and with `signal.reason`.
   */
  async acquire(id: string, options: CheckedAcquire<T>, gate: Gate): Promise<RedisHold<T> | undefined> {
    const { signal } = options
    if (signal?.aborted === true) throw abortReason(signal)
    const acquired = this.#acquire(id, options, gate)
    return signal === undefined ? acquired : untilAborted(acquired, signal)
  }

  /** Takes every hold away: the deadline of `close` has passed. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#tickets].map((ticket) => ticket.release()))
  }

  async #acquire(
    id: string,
    { create, signal, maxMs }: CheckedAcquire<T>,
    gate: Gate,
  ): Promise<RedisHold<T> | undefined> {
    const ticket = this.#ticket(id, maxMs)
    for (;;) {
      const entered = await this.#shared.take(id, ticket, { reads: true })
      if (entered.state === 'live') {
        const hold = this.#begin(ticket, entered)
        // The caller has been told that there is none.
        if (signal?.aborted === true) hold.release().catch(() => {})
        return hold
      }
      if (signal?.aborted === true) return undefined
      gate.assertOpen()
      const request = { create, token: '', left: signal }
      const brought = await this.#opener.bring(id, request)
      if (brought.state === 'absent') return undefined
    }
  }

  #begin(ticket: HoldTicket<T>, { life, hold }: Extract<Taken<T>, { state: 'live' }>): HoldTicket<T> {
    ticket.begin(hold, this.#teller.sessionOf(life))
    if (!ticket.isOver) this.#tickets.add(ticket)
    return ticket
  }

  #ticket(id: string, maxMs: number): HoldTicket<T> {
    return new HoldTicket({
      bound: (ticket) =>
        this.#watchdog.start(() => {
          this.#teller.failed(holdTimeoutError(maxMs), 'a hold was never released', id)
          ticket.release().catch(() => {})
        }, maxMs),
      leave: (hold, ticket) => this.#shared.leave(hold, ticket),
      ended: (ticket) => {
        this.#tickets.delete(ticket)
        this.whenSettled?.()
      },
    })
  }
}
