import { type Clock, nextLoopIteration } from './clock.ts'

/** The longest work between two iterations of the event loop, in milliseconds: shorter than a frame. */
const sliceMs = 4

/**
 * The time that work has used in this iteration of the event loop.
 *
 * With a store that settles at once, each call would follow in a microtask of the one before, and block the
 * event loop until the last session is archived.
 */
export class TimeSlice {
  readonly #clock: Clock
  #startedAt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the event loop should iterate first. */
  isUsedUp(): boolean {
    const now = this.#clock.now()
    if (this.#startedAt === undefined) {
      this.#startedAt = now
      nextLoopIteration(() => {
        this.#startedAt = undefined
      })
    }
    return now - this.#startedAt >= sliceMs
  }
}
