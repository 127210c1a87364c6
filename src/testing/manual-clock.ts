import { invalidNumber } from '../core/options/validate.ts'
import { type Clock, maxDelayMs, nextLoopIteration, systemClock } from '../core/time/clock.ts'

interface ManualTimer {
  readonly dueAt: number
  readonly fn: () => void
}

/**
 * A clock for tests that moves only by {@link advance}: "20 minutes later" takes microseconds.
 *
 * It starts at 0, and its date at the real one. Timers run in the order of their deadlines.
 *
 * @example
 * const clock = new ManualClock()
 * const registry = new SessionRegistry({ clock, create: () => [] })
 * registry.getOrCreate('ada')
 * clock.advance(20 * 60_000)
 * registry.has('ada') // false
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<ManualTimer>()
  readonly #origin = systemClock.date()
  #now = 0

  /** The number of waiting timers. */
  get pending(): number {
    return this.#timers.size
  }

  /** Milliseconds that the clock has advanced since its construction. */
  now(): number {
    return this.#now
  }

  /** Epoch milliseconds, which advance with {@link now}. */
  date(): number {
    return this.#origin + this.#now
  }

  setTimeout(fn: () => void, ms: number): unknown {
    // As the host does, so that a test shows what would overflow there.
    const delayMs = ms >= 0 && ms <= maxDelayMs ? ms : 1
    const timer = { dueAt: this.#now + delayMs, fn }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as ManualTimer)
  }

  /**
   * Advances time by `ms` and runs, synchronously and in order, every timer that comes due, including those
   * started meanwhile. No promise settles in between: across turns and archives use {@link advanceAsync}.
   *
   * Milliseconds; zero or more, and finite.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  advance(ms: number): void {
    const until = this.#until(ms)
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) this.#run(timer)
    this.#reach(until)
  }

  /**
   * {@link advance} that lets promises settle before, between and after the timers: archives, retries, turns.
   *
   * It does not wait for real I/O (a file, a socket, a database): time would pass meanwhile, and with it the
   * limits of a hook, such as `archiveTimeoutMs`. For a hook with I/O, advance to the deadline and no
   * further, call `sweep()`, and await `settled()`.
   *
   * Milliseconds; zero or more, and finite. Rejects with `ERR_SESSION_OPTION_INVALID`.
   */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#until(ms)
    await promisesSettled()
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#run(timer)
      await promisesSettled()
    }
    this.#reach(until)
    await promisesSettled()
  }

  #until(ms: number): number {
    if (!Number.isFinite(ms) || ms < 0) throw invalidNumber('ms', 'zero or a positive finite number', ms)
    return this.#now + ms
  }

  #next(until: number): ManualTimer | undefined {
    let first: ManualTimer | undefined
    // A set iterates in the order of insertion: of two timers due at once, the one started first runs first.
    for (const timer of this.#timers) {
      if (timer.dueAt <= until && (first === undefined || timer.dueAt < first.dueAt)) first = timer
    }
    return first
  }

  #run(timer: ManualTimer): void {
    this.#timers.delete(timer)
    this.#reach(timer.dueAt)
    timer.fn()
  }

  /** A timer may itself have advanced the clock, which never goes back. */
  #reach(moment: number): void {
    this.#now = Math.max(this.#now, moment)
  }
}

/**
 * Iterations of the real event loop between timers: enough for a hook that takes one or two itself, without
 * I/O.
 */
const loopIterations = 3

/** Waits for whole iterations of the event loop, so that chains of promises of any length settle. */
async function promisesSettled(): Promise<void> {
  for (let turn = 0; turn < loopIterations; turn += 1) {
    await new Promise<void>((resolve) => nextLoopIteration(resolve, { keepsAlive: true }))
  }
}
