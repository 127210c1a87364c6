import type { EventQueue } from '../events/event-queue.ts'
import type { Failure } from '../events/log-lines.ts'
import type { Clock, Timer, TimerOptions } from '../time/clock.ts'

export interface TimerHost {
  readonly clock: Clock
  readonly events: EventQueue
}

/**
 * Starts a timer in the async context of the registry. Where the host has no timer, that is reported and the
 * result is `undefined`: a limit is then missing, and what it bounds goes on.
 */
export function startTimer(
  { clock, events }: TimerHost,
  fn: () => void,
  ms: number,
  failure: Failure,
  options?: TimerOptions,
): Timer | undefined {
  try {
    return events.context.timer(clock, fn, ms, options)
  } catch (error) {
    events.reportError(error, failure)
    return undefined
  }
}
