import { startTimer, type TimerHost } from '../async/contained-timer.ts'
import { shownTime, type Timer } from '../time/clock.ts'
import { TimeoutList, type TimeoutListInit } from '../time/timeout-list.ts'

/** The timers that bound how long a turn or hold keeps a session from ending. */
export class Watchdog {
  readonly #host: TimerHost
  readonly #maxTurnMs: number

  constructor(host: TimerHost, maxTurnMs: number) {
    this.#host = host
    this.#maxTurnMs = maxTurnMs
  }

  /** Returns the time at which a turn or hold begins, to be shown. */
  now(): number {
    return shownTime(this.#host.clock)
  }

  /** Returns the list of turns that may last for `maxTurnMs`. */
  newList<C>(onDue: TimeoutListInit<C>['onDue']): TimeoutList<C> {
    return new TimeoutList(this.#host, {
      durationMs: this.#maxTurnMs,
      failure: 'a turn could not be timed',
      onDue,
    })
  }

  /** Calls `onTimeout` after `ms`, by default `maxTurnMs`; no timer if that is infinite. */
  start(onTimeout: () => void, ms = this.#maxTurnMs): Timer | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined
    // Not part of the turn that it bounds: what it starts must queue.
    return startTimer(this.#host, onTimeout, ms, 'a turn could not be timed', { catchesUp: true })
  }
}
