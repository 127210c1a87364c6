import { type Clock, nextLoopIteration } from './clock.ts'

/** The longest that work which never waits keeps the event loop without letting it go round. */
const sliceMs = 4

/**
 * How long the work of one turn of the event loop has lasted.
 *
 * A store that answers at once would have its next call made in a microtask, and so on until the last session
 * is put away: nothing else would get to run meanwhile.
 */
export class TimeSlice {
  readonly #clock: Clock
  #startedAt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether it is time to let the event loop go round. */
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
