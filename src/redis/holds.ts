import type { Timer } from '../core/clock.ts'
import type { Watchdog } from '../core/watchdog.ts'
import type { HoldUser, SharedHold, SharedHolds } from './shared-holds.ts'
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
class HoldTicket implements RedisHold, HoldUser {
  timer: Timer | undefined
  /** Called with the ticket when its session has ended, or another process took it over. */
  whenLost: (() => void) | undefined
  release: () => Promise<void> = async () => {}

  lost(): void {
    this.whenLost?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

/** The holds of this process. */
export class Holds<T> {
  readonly #shared: SharedHolds<T>
  readonly #teller: Teller<T>
  readonly #watchdog: Watchdog
  readonly #tickets = new Set<HoldTicket>()
  /** Called when a hold is gone. */
  whenSettled: (() => void) | undefined = undefined

  constructor(shared: SharedHolds<T>, teller: Teller<T>, watchdog: Watchdog) {
    this.#shared = shared
    this.#teller = teller
    this.#watchdog = watchdog
  }

  get count(): number {
    return this.#tickets.size
  }

  async take(id: string): Promise<RedisHold | undefined> {
    const ticket = new HoldTicket()
    const entered = await this.#shared.take(id, ticket)
    if (entered.state === 'absent') return undefined
    const { hold } = entered
    let released: Promise<void> | undefined
    ticket.release = () => {
      released ??= this.#release(ticket, hold)
      return released
    }
    ticket.whenLost = () => this.#drop(ticket)
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

  async #release(ticket: HoldTicket, hold: SharedHold<T>): Promise<void> {
    this.#drop(ticket)
    await this.#shared.leave(hold, ticket)
  }

  #drop(ticket: HoldTicket): void {
    ticket.timer?.cancel()
    this.#tickets.delete(ticket)
    this.whenSettled?.()
  }
}
