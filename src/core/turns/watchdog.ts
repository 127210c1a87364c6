import type { EventQueue } from '../events/event-queue.ts'
import type { Clock, Timer } from '../time/clock.ts'

/** The timers that bound how long a turn or hold keeps a session from ending. */
export class Watchdog {
  readonly #clock: Clock
  readonly #events: EventQueue
  readonly #maxTurnMs: number

  constructor(host: { readonly clock: Clock; readonly events: EventQueue }, maxTurnMs: number) {
    this.#clock = host.clock
    this.#events = host.events
    this.#maxTurnMs = maxTurnMs
  }

  /** Calls `onTimeout` after `ms`, by default `maxTurnMs`; no timer if that is infinite. */
  start(onTimeout: () => void, ms = this.#maxTurnMs): Timer | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined
    try {
      // Not part of the turn that it bounds: what it starts must queue.
      return this.#events.context.timer(this.#clock, onTimeout, ms, { catchesUp: true })
    } catch (error) {
      // A host without a timer removes the limit, not the turn.
      this.#events.reportError(error, 'a turn could not be timed')
      return undefined
    }
  }
}
