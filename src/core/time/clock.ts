import * as timers from 'node:timers'

/**
 * Where a registry gets its time and its timers from.
 *
 * The default looks the globals up at each use, so that fake timers work whenever they are installed.
 */
export interface Clock {
  /** Monotonic milliseconds, from any origin; never goes back. */
  now(): number
  /** Calls `fn` once after `ms` (at most 2³¹−1). If the handle has `unref`, the library calls it. */
  setTimeout(fn: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
  /** Epoch milliseconds, for `createdAt` and logs only; defaults to `Date.now`. */
  date?(): number
}

/** A {@link Clock} with nothing left out. */
export type FullClock = Required<Clock>

export const systemClock: FullClock = {
  now: () => performance.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
  date: () => Date.now(),
}

// Taken before fake timers can be installed.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout, Date: RealDate } = globalThis
const realNow = performance.now.bind(performance)

/**
 * The host's clock and timers as they were when the module was loaded.
 *
 * For waits that other processes depend on, such as the renewal of a lease: fake timers of one process, which
 * come and go in its tests, must not stop them.
 */
export const realClock: FullClock = {
  now: () => realNow(),
  setTimeout: (fn, ms) => realSetTimeout(fn, ms),
  clearTimeout: (handle) => realClearTimeout(handle as ReturnType<typeof setTimeout>),
  date: () => RealDate.now(),
}

/** The time of a clock: short where it is the default, for that is asked at each touch. */
export function readClock(clock: FullClock): number {
  return clock === systemClock ? performance.now() : clock.now()
}

/** The longest delay that `setTimeout` keeps; anything above it fires after one millisecond. */
export const maxDelayMs = 2 ** 31 - 1

/** How a {@link Timer} waits. */
export interface TimerOptions {
  /** Whether it keeps the process alive. */
  readonly keepsAlive?: boolean
  /** Whether, where it fires late, what has arrived meanwhile is handled first. */
  readonly catchesUp?: boolean
}

/**
 * A timer that fires this late has met more than a busy moment: the process stood still, or was suspended.
 */
const lateThresholdMs = 20

/**
 * The longest time that a late timer waits for what has arrived meanwhile; shorter, it waits for as long as
 * it is late. An answer that lies in a socket is read, unpacked and passed on by then, on a busy machine too.
 * By the machine's time, for that is what reading takes.
 */
const maxCatchUpMs = 250

/**
 * A wait on a {@link Clock} that may be longer than 2³¹−1 ms, or `Infinity`: it is chained from shorter ones.
 *
 * Unref'd unless asked otherwise, so that no wait of ours keeps a process alive.
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

  /** Stops the wait; harmless afterwards. */
  cancel(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#clock.clearTimeout(this.#handle)
  }

  /** From now on the process stays alive until the wait is over. */
  ref(): void {
    this.#keepsAlive = true
    callIfPresent(this.#handle, 'ref')
  }

  /** From now on the wait no longer keeps the process alive. */
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

  /** Whether a rest of the wait is left, and is waited for now. */
  #rearmed(): boolean {
    try {
      const remainingMs = this.#dueAt - this.#clock.now()
      // The host may fire a fraction early; only a chained wait has a real rest.
      if (remainingMs < 1) return false
      this.#arm(remainingMs)
      return true
    } catch {
      // Nobody could catch it here. A host that has no more timers ends the wait early rather than the
      // process.
      return false
    }
  }
}

// Taken at import, before any fake timers can be installed: going round the event loop is a matter of the
// machine, not of time. Not taken from `globalThis`, which has none where a test runner plays a browser (Jest
// with jsdom).
const { setImmediate } = timers

/** Calls `fn` when the event loop has gone round once. Unref'd unless asked otherwise. */
export function nextLoopIteration(fn: () => void, options: { readonly keepsAlive?: boolean } = {}): void {
  const handle = setImmediate(fn)
  if (options.keepsAlive !== true) callIfPresent(handle, 'unref')
}

/** Calls `fn` when what has arrived until now was handled. Keeps the process alive: it is for a moment. */
function afterPendingEvents(fn: () => void, ms: number): void {
  realSetTimeout(() => nextLoopIteration(fn, { keepsAlive: true }), ms)
}

function callIfPresent(handle: unknown, method: 'ref' | 'unref'): void {
  if (typeof handle !== 'object' || handle === null) return
  const candidate = handle as { ref?: unknown; unref?: unknown }
  if (typeof candidate[method] === 'function') candidate[method]()
}
