import type { EventQueue } from '../events/event-queue.ts'
import type { Clock, Timer } from '../time/clock.ts'

/** Bounds how long one turn or hold may keep a session from ending. */
export class Watchdog {
  readonly #clock: Clock
  readonly #events: EventQueue
  readonly #maxTurnMs: number

  constructor(host: { readonly clock: Clock; readonly events: EventQueue }, maxTurnMs: number) {
    this.#clock = host.clock
    this.#events = host.events
    this.#maxTurnMs = maxTurnMs
  }

  /** Calls `onTimeout` when the time is up, `maxTurnMs` unless it is given; no timer where it is infinite. */
  start(onTimeout: () => void, ms = this.#maxTurnMs): Timer | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined
    try {
      // Not a part of the turn that it watches: what it sets off must stand in line.
      return this.#events.context.timer(this.#clock, onTimeout, ms, { catchesUp: true })
    } catch (error) {
      // A host that gives no timer takes the limit away, not the turn.
      this.#events.reportError(error, 'a turn could not be timed')
      return undefined
    }
  }
}
