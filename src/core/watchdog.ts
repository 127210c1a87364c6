import type { Announcer } from './announcer.ts'
import type { Clock, Timer } from './clock.ts'
import type { SessionRegistryError } from './errors.ts'
import { holdTimedOut, turnTimedOut } from './refusals.ts'

/** Bounds how long one turn or hold may keep a session from ending. */
export class Watchdog {
  readonly #clock: Clock
  readonly #announcer: Announcer
  readonly #maxTurnMs: number

  constructor(host: { readonly clock: Clock; readonly announcer: Announcer }, maxTurnMs: number) {
    this.#clock = host.clock
    this.#announcer = host.announcer
    this.#maxTurnMs = maxTurnMs
  }

  /** Calls `bite` when the time is up, `maxTurnMs` unless it is given; no timer where it is infinite. */
  watch(bite: () => void, ms = this.#maxTurnMs): Timer | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined
    try {
      // Not a part of the turn that it watches: what it sets off must stand in line.
      return this.#announcer.context.timer(this.#clock, bite, ms, { catchesUp: true })
    } catch (error) {
      // A host that gives no timer takes the limit away, not the turn.
      this.#announcer.report(error, 'a turn could not be timed')
      return undefined
    }
  }

  tooLong(what: 'turn' | 'hold'): SessionRegistryError {
    return what === 'turn' ? turnTimedOut(this.#maxTurnMs) : holdTimedOut(this.#maxTurnMs)
  }
}
