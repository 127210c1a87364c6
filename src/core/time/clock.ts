import * as timers from 'node:timers'

/**
 * The source of time and timers of a registry.
 *
 * The default looks the globals up at each use, so that fake timers work whenever they are installed.
 */
export interface Clock {
  /** Monotonic milliseconds from any origin. */
  now(): number
  /** Calls `fn` once after `ms` (at most 2³¹−1). The library calls `unref` of the handle if it has one. */
  setTimeout(fn: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
  /** Epoch milliseconds, for `createdAt` and logs only; by default `Date.now`. */
  date?(): number
}

/** A {@link Clock} with all members. */
export type FullClock = Required<Clock>

export const systemClock: FullClock = {
  now: () => performance.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
  date: () => Date.now(),
}

// Captured before fake timers can be installed.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout, Date: RealDate } = globalThis
const realNow = performance.now.bind(performance)

/**
 * The host's clock and timers as they were when the module was loaded.
 *
 * For waits that other processes depend on, such as the renewal of a lease: fake timers that come and go in
 * the tests of one process must not stop them.
 */
export const realClock: FullClock = {
  now: () => realNow(),
  setTimeout: (fn, ms) => realSetTimeout(fn, ms),
  clearTimeout: (handle) => realClearTimeout(handle as ReturnType<typeof setTimeout>),
  date: () => RealDate.now(),
}

/** Returns the time of a clock. The default is called directly, because every touch reads it. */
export function readClock(clock: FullClock): number {
  return clock === systemClock ? performance.now() : clock.now()
}

/** Returns the time of a clock, or 0 if the clock fails: for what is only shown. */
export function shownTime(clock: Clock): number {
  try {
    return clock.now()
  } catch {
    return 0
  }
}

/** The longest delay that `setTimeout` keeps, in milliseconds; a longer one fires after one millisecond. */
export const maxDelayMs = 2 ** 31 - 1

/** Options of a {@link Timer}. */
export interface TimerOptions {
  /** Whether it keeps the process alive. */
  readonly keepsAlive?: boolean
  /** Whether a timer that fires late first lets pending events be handled. */
  readonly catchesUp?: boolean
}

/**
 * The lateness from which a timer catches up, in milliseconds: the process was suspended or blocked, not only
 * busy.
 */
const lateThresholdMs = 20

/**
 * The longest time for which a late timer lets pending events be handled, in milliseconds of the real clock;
 * a timer that is less late waits for as long as it is late. It suffices to read, unpack and handle a reply
 * that lies in a socket, on a busy machine too.
 */
const maxCatchUpMs = 250

/**
 * A timer on a {@link Clock} that may be longer than 2³¹−1 ms, or `Infinity`: it is chained from shorter
 * ones.
 *
 * Unref'd by default, so that it does not keep the process alive.
 */
export class Timer {
  readonly #clock: Clock
  readonly #fn: () => void
  readonly #dueAt: number
  #handle: unknown
  #keepsAlive: boolean
  readonly #catchesUp: boolean
  #isWaiting = true

  constructor(clock: Clock, fn: () => void, ms: number, options: TimerOptions = {}) {
    this.#clock = clock
    this.#fn = fn
    this.#dueAt = clock.now() + ms
    this.#keepsAlive = options.keepsAlive === true
    this.#catchesUp = options.catchesUp === true
    this.#arm(ms)
  }

  /** Stops the timer. It has no effect once the timer has fired. */
  cancel(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#clock.clearTimeout(this.#handle)
  }

  /** Keeps the process alive from now on until the timer fires. */
  ref(): void {
    this.#keepsAlive = true
    callIfPresent(this.#handle, 'ref')
  }

  /** No longer keeps the process alive. */
  unref(): void {
    this.#keepsAlive = false
    callIfPresent(this.#handle, 'unref')
  }

  #arm(ms: number): void {
    this.#handle = this.#clock.setTimeout(() => this.#onHandle(), Math.min(ms, maxDelayMs))
    if (!this.#keepsAlive) callIfPresent(this.#handle, 'unref')
  }

  #onHandle(): void {
    if (!this.#isWaiting || this.#rearmed()) return
    const lateByMs = this.#catchesUp ? this.#lateByMs() : 0
    if (lateByMs > lateThresholdMs) afterPendingEvents(() => this.#fire(), Math.min(lateByMs, maxCatchUpMs))
    else this.#fire()
  }

  #fire(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#fn()
  }

  #lateByMs(): number {
    try {
      return this.#clock.now() - this.#dueAt
    } catch {
      return 0
    }
  }

  /** Starts the rest of a chained wait. Returns whether there is one. */
  #rearmed(): boolean {
    try {
      const remainingMs = this.#dueAt - this.#clock.now()
      // The host may fire a fraction early; only a chained wait has a real rest.
      if (remainingMs < 1) return false
      this.#arm(remainingMs)
      return true
    } catch {
      // An error could not be caught here. A host without further timers ends the wait early, not the
      // process.
      return false
    }
  }
}

// Captured at import, before fake timers can be installed: an iteration of the event loop does not depend on
// the clock. Not from `globalThis`, which lacks it where a test runner emulates a browser (Jest with jsdom).
const { setImmediate } = timers

/** Calls `fn` after one iteration of the event loop. Unref'd by default. */
export function nextLoopIteration(fn: () => void, options: { readonly keepsAlive?: boolean } = {}): void {
  const handle = setImmediate(fn)
  if (options.keepsAlive !== true) callIfPresent(handle, 'unref')
}

/** Calls `fn` after the events that are pending now. It keeps the process alive for that moment. */
function afterPendingEvents(fn: () => void, ms: number): void {
  realSetTimeout(() => nextLoopIteration(fn, { keepsAlive: true }), ms)
}

function callIfPresent(handle: unknown, method: 'ref' | 'unref'): void {
  if (typeof handle !== 'object' || handle === null) return
  const candidate = handle as { ref?: unknown; unref?: unknown }
  if (typeof candidate[method] === 'function') candidate[method]()
}
