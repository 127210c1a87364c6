import { holdTimeoutError } from '../../core/errors/turn-errors.ts'
import type { Watchdog } from '../../core/turns/watchdog.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { HoldTicket } from '../session/hold.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** The holds of sessions, each with its limit. */
export class Holds<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #watchdog: Watchdog
  readonly #release: (ticket: HoldTicket<T>) => void

  /** `release` ends the use of a session by a hold. */
  constructor(lifecycle: Lifecycle<T>, watchdog: Watchdog, release: (ticket: HoldTicket<T>) => void) {
    this.#lifecycle = lifecycle
    this.#watchdog = watchdog
    this.#release = release
  }

  /** Makes a hold of a session. */
  hold(record: SessionRecord<T>, maxMs: number): HoldTicket<T> {
    return this.#lifecycle.step.run(() => this.#hold(record, maxMs))
  }

  #hold(record: SessionRecord<T>, maxMs: number): HoldTicket<T> {
    const ticket = new HoldTicket(record, this.#lifecycle.viewOf(record), {
      begunAt: this.#watchdog.now(),
      startTimer: (limited) => this.#watchdog.start(() => this.#onTimeout(limited, maxMs), maxMs),
      release: (released) => this.#lifecycle.step.run(() => this.#release(released)),
      defer: (action) => this.#lifecycle.events.defer(action),
    })
    this.#lifecycle.use(record).addHold(ticket)
    return ticket
  }

  #onTimeout(ticket: HoldTicket<T>, maxMs: number): void {
    const { record } = ticket
    if (record === undefined) return
    const { step, events } = this.#lifecycle
    step.run(() => {
      const error = holdTimeoutError(maxMs)
      events.reportError(error, 'a hold was never released', record.id)
      ticket.abort(error)
      ticket.release()
    })
  }
}
