import { AsyncResource } from 'node:async_hooks'
import { abortReason } from '../../core/async/abort-listeners.ts'
import { holdTimeoutError, notOwnerError } from '../../core/errors/turn-errors.ts'
import type { Gate } from '../../core/gate.ts'
import type { CheckedAcquire, CheckedHold } from '../../core/options/call-options.ts'
import type { Session } from '../../core/session.ts'
import { realClock, type Timer } from '../../core/time/clock.ts'
import type { Watchdog } from '../../core/turns/watchdog.ts'
import type { SessionLoader } from '../loading/loader.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import { untilAborted } from '../until-aborted.ts'
import type { HoldUser, SharedHold, SharedHolds, TakeResult } from './shared-holds.ts'

/**
 * A hold: it keeps a session from ending, for all processes, until it is released, at most for its `maxMs`.
 *
 * Releasing it is activity: the idle time starts again.
 *
 * @example
 * await using hold = await registry.hold(id)
 */
export interface RedisHold<T = unknown> extends AsyncDisposable {
  /** A copy of the held session, as it was when the hold was taken. */
  readonly session: Session<T>
  /**
   * Extends the hold: it may last for its `maxMs` from now. Returns whether it still holds, which it does not
   * once it was released or timed out, the session was deleted or replaced, or another process took it.
   *
   * Rejects with the codes of {@link RedisSessionRegistry}.
   */
  renew(): Promise<boolean>
  /**
   * Ends the hold. Does nothing if it has ended already. Rejects with the codes of {@link
   * RedisSessionRegistry}.
   */
  release(): Promise<void>
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** A hold inside the registry. Its printed form shows neither an id nor a value. */
class HoldTicket<T> implements RedisHold<T>, HoldUser {
  readonly #host: HoldHost<T>
  #hold: SharedHold<T> | undefined
  #session: Session<T> | undefined
  #timer: Timer | undefined
  /** Monotonic time at which it was taken. */
  begunAt = 0
  #isEnded = false
  #released: Promise<void> | undefined

  constructor(host: HoldHost<T>) {
    this.#host = host
  }

  get session(): Session<T> {
    return this.#session as Session<T>
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  activate(hold: SharedHold<T>, session: Session<T>): void {
    this.#hold = hold
    this.#session = session
    this.begunAt = realClock.now()
    if (!this.#isEnded) this.#timer = this.#host.startTimer(this)
  }

  async renew(): Promise<boolean> {
    if (this.#isEnded) return false
    this.#timer?.cancel()
    this.#timer = this.#host.startTimer(this)
    await this.#hold?.lease.renew()
    return !this.#isEnded
  }

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  /** The session has ended, or another process took it. */
  onLost(): void {
    this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  [inspect](): string {
    return `Hold { held: ${!this.#isEnded} }`
  }

  async #release(): Promise<void> {
    if (this.#isEnded) return
    this.#end()
    if (this.#hold !== undefined) await this.#host.release(this.#hold, this)
  }

  #end(): void {
    this.#isEnded = true
    this.#timer?.cancel()
    this.#host.onEnded(this)
  }
}

/** The registry's side of a hold. */
interface HoldHost<T> {
  /** Starts the timer that ends the hold; `undefined` where it may last for ever. */
  startTimer(ticket: HoldTicket<T>): Timer | undefined
  release(hold: SharedHold<T>, ticket: HoldTicket<T>): Promise<unknown>
  onEnded(ticket: HoldTicket<T>): void
}

/** A hold that has not ended, with a copy of its session as of its start. */
export interface TakenHold {
  readonly session: Session<unknown>
  readonly begunAt: number
}

/** The holds that the application took in this process. */
export class Holds<T> {
  readonly #shared: SharedHolds<T>
  readonly #loader: SessionLoader<T>
  readonly #log: SnapshotLog<T>
  readonly #watchdog: Watchdog
  readonly #tickets = new Set<HoldTicket<T>>()
  /** Called when a hold has ended. */
  onSettled: (() => void) | undefined = undefined

  constructor(shared: SharedHolds<T>, loader: SessionLoader<T>, log: SnapshotLog<T>, watchdog: Watchdog) {
    this.#shared = shared
    this.#loader = loader
    this.#log = log
    this.#watchdog = watchdog
  }

  get count(): number {
    return this.#tickets.size
  }

  /** The holds that have not ended. */
  get taken(): Iterable<TakenHold> {
    return this.#tickets
  }

  get ids(): string[] {
    return [...this.#tickets].map(({ session }) => session.id)
  }

  /** Takes a hold of a live session; `undefined` where there is none. */
  async take(id: string, { maxMs, owner }: CheckedHold): Promise<RedisHold<T> | undefined> {
    const ticket = this.#createTicket(id, maxMs)
    const accessed = await this.#shared.take(id, ticket, owner)
    return accessed.state === 'live' ? this.#activate(ticket, accessed) : undefined
  }

  /**
   * Takes a hold of a session, which is loaded or created where it is absent.
   *
   * Rejects with the error of `load` or the factory, with the codes of the store, and with `signal.reason`.
   */
  async acquire(id: string, options: CheckedAcquire<T>, gate: Gate<T>): Promise<RedisHold<T> | undefined> {
    const { signal } = options
    if (signal?.aborted === true) throw abortReason(signal)
    const acquired = this.#acquire(id, options, gate)
    return signal === undefined ? acquired : untilAborted(acquired, signal)
  }

  /** Ends every hold at the deadline of `close`. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#tickets].map((ticket) => ticket.release()))
  }

  async #acquire(
    id: string,
    { create, signal, maxMs, owner }: CheckedAcquire<T>,
    gate: Gate<T>,
  ): Promise<RedisHold<T> | undefined> {
    const ticket = this.#createTicket(id, maxMs)
    for (;;) {
      const accessed = await this.#shared.take(id, ticket, owner)
      if (accessed.state === 'live') {
        const hold = this.#activate(ticket, accessed)
        // The caller has been rejected already.
        if (signal?.aborted === true) hold.release().catch(() => {})
        return hold
      }
      if (signal?.aborted === true) return undefined
      gate.assertOpen()
      const request = { create, token: '', signal, owner, context: new AsyncResource('SessionOpening') }
      const opened = await this.#loader.materialize(id, request)
      if (opened.state === 'refused') throw notOwnerError()
      if (opened.state === 'absent') return undefined
    }
  }

  #activate(
    ticket: HoldTicket<T>,
    { snapshot, hold }: Extract<TakeResult<T>, { state: 'live' }>,
  ): HoldTicket<T> {
    ticket.activate(hold, this.#log.sessionOf(snapshot))
    if (!ticket.isEnded) this.#tickets.add(ticket)
    return ticket
  }

  #createTicket(id: string, maxMs: number): HoldTicket<T> {
    return new HoldTicket({
      startTimer: (ticket) =>
        this.#watchdog.start(() => {
          this.#log.failed(holdTimeoutError(maxMs), 'a hold was never released', id)
          ticket.release().catch(() => {})
        }, maxMs),
      release: (hold, ticket) => this.#shared.release(hold, ticket),
      onEnded: (ticket) => {
        this.#tickets.delete(ticket)
        this.onSettled?.()
      },
    })
  }
}
