import { startTimer, type TimerHost } from '../async/contained-timer.ts'
import type { Timer } from '../time/clock.ts'

/** The timers that bound how long a turn or hold keeps a session from ending. */
export class Watchdog {
  readonly #host: TimerHost
  readonly #maxTurnMs: number

  constructor(host: TimerHost, maxTurnMs: number) {
    this.#host = host
    this.#maxTurnMs = maxTurnMs
  }

  /** Returns the time of the clock, or 0 if the clock fails. */
  now(): number {
    try {
      return this.#host.clock.now()
    } catch {
      return 0
    }
  }

  /** Calls `onTimeout` after `ms`, by default `maxTurnMs`; no timer if that is infinite. */
  start(onTimeout: () => void, ms = this.#maxTurnMs): Timer | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined
    // Not part of the turn that it bounds: what it starts must queue.
    return startTimer(this.#host, onTimeout, ms, 'a turn could not be timed', { catchesUp: true })
  }
}
