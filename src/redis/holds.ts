import type { Timer } from '../core/clock.ts'
import type { Watchdog } from '../core/watchdog.ts'
import { newName } from './names.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { SessionLease } from './session-lease.ts'
import type { LeaseRef, SessionStore } from './session-store.ts'
import type { Teller } from './teller.ts'

/**
 * Keeps a session from ending, for all processes, until it is released, or for `maxTurnMs` at the longest.
 *
 * Releasing it is activity: the idle time starts again.
 *
 * @example
 * await using hold = await registry.hold(id)
 */
export interface RedisHold extends AsyncDisposable {
  /** Harmless when called twice, and after the session was deleted. Rejects with the codes of the store. */
  release(): Promise<void>
}

/** A hold as the registry keeps it. */
class HoldTicket<T> implements RedisHold {
  lease: SessionLease<T> | undefined
  timer: Timer | undefined
  readonly #release: (ticket: HoldTicket<T>) => Promise<void>
  #released: Promise<void> | undefined

  constructor(release: (ticket: HoldTicket<T>) => Promise<void>) {
    this.#release = release
  }

  release(): Promise<void> {
    this.#released ??= this.#release(this)
    return this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

/** The holds of this process. */
export class Holds<T> {
  readonly #store: SessionStore<T>
  readonly #teller: Teller<T>
  readonly #watchdog: Watchdog
  readonly #options: ResolvedRedisOptions<T>
  readonly #tickets = new Set<HoldTicket<T>>()
  /** Called when a hold is gone. */
  whenSettled: (() => void) | undefined = undefined

  constructor(
    store: SessionStore<T>,
    teller: Teller<T>,
    watchdog: Watchdog,
    options: ResolvedRedisOptions<T>,
  ) {
    this.#store = store
    this.#teller = teller
    this.#watchdog = watchdog
    this.#options = options
  }

  get count(): number {
    return this.#tickets.size
  }

  async take(id: string): Promise<RedisHold | undefined> {
    const token = newName()
    const entered = await this.#store.enter(id, { touches: true, takes: { kind: 'hold', token } })
    if (entered.state === 'absent') return undefined
    const ref = { id, incarnation: entered.life.incarnation, kind: 'hold' as const, token }
    const ticket = new HoldTicket<T>((released) => this.#release(released, ref))
    ticket.lease = new SessionLease(this.#store, this.#options.leaseMs, ref, {
      lost: () => this.#drop(ticket),
      interrupted: () => {},
    })
    ticket.timer = this.#watchdog.watch(() => {
      this.#teller.failed(this.#watchdog.tooLong('hold'), 'a hold was never released', id)
      ticket.release().catch(() => {})
    })
    this.#tickets.add(ticket)
    return ticket
  }

  /** Takes every hold away: the deadline of `close` has passed. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#tickets].map((ticket) => ticket.release()))
  }

  async #release(ticket: HoldTicket<T>, ref: LeaseRef): Promise<void> {
    if (!this.#tickets.has(ticket)) return
    this.#drop(ticket)
    await this.#store.leave(ref, { text: undefined, timeoutMs: undefined }, '')
  }

  #drop(ticket: HoldTicket<T>): void {
    ticket.lease?.stop()
    ticket.timer?.cancel()
    this.#tickets.delete(ticket)
    this.whenSettled?.()
  }
}
