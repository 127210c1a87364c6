import type { Timer } from '../time/clock.ts'

/** A limit of a phase. */
interface DrainLimit {
  /** Time from the start of the phase, or from the limit before it, in milliseconds. */
  readonly ms: number
  /** Called if the phase is not done by then: makes what is left come to an end. */
  readonly onElapsed: () => void
}

/** A phase of a {@link Drain}. */
export interface DrainPhase {
  /** Whether nothing is left that the phase waits for. */
  readonly isDone: () => boolean
  readonly limits: readonly DrainLimit[]
}

/**
 * The end of work in phases, each with deadlines: a phase waits until nothing of it is left, and its limits,
 * one after another, end what is.
 */
export class Drain {
  readonly #phases: readonly DrainPhase[]
  readonly #startTimer: (fn: () => void, ms: number) => Timer | undefined
  readonly #onDrained: () => void
  #phase = 0
  #nextLimit = 0
  #timer: Timer | undefined

  /** `onDrained` is called once, when the last phase is done. */
  constructor(
    phases: readonly DrainPhase[],
    startTimer: (fn: () => void, ms: number) => Timer | undefined,
    onDrained: () => void,
  ) {
    this.#phases = phases
    this.#startTimer = startTimer
    this.#onDrained = onDrained
  }

  start(): void {
    this.advance()
    if (this.#timer === undefined) this.#startLimit()
  }

  /** Begins the next phase if nothing of the present one is left. To be called when something has ended. */
  advance(): void {
    while (this.#phases[this.#phase]?.isDone() === true) {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#phase += 1
      this.#nextLimit = 0
      const next = this.#phases[this.#phase]
      if (next === undefined) this.#onDrained()
      else if (!next.isDone()) this.#startLimit()
    }
  }

  #startLimit(): void {
    const phase = this.#phase
    const limit = this.#phases[phase]?.limits[this.#nextLimit]
    if (limit === undefined) return
    this.#nextLimit += 1
    this.#timer = this.#startTimer(() => {
      limit.onElapsed()
      if (this.#phase === phase) this.#startLimit()
      this.advance()
    }, limit.ms)
  }
}
