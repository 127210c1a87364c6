import type { Clock } from 'session-registry'
import { TrackingClock } from './tracking-clock.ts'

/**
 * A clock that goes on by itself, a little with each look at it, as if the work in between took that long.
 */
export class SlowClock implements Clock {
  readonly tracking = new TrackingClock()
  msPerLook = 0
  #spentMs = 0

  now(): number {
    this.#spentMs += this.msPerLook
    return this.tracking.now() + this.#spentMs
  }

  setTimeout(fn: () => void, ms: number): unknown {
    return this.tracking.setTimeout(fn, ms)
  }

  clearTimeout(handle: unknown): void {
    this.tracking.clearTimeout(handle)
  }
}
