import { startTimer } from '../core/async/contained-timer.ts'
import type { Timer } from '../core/time/clock.ts'
import { type FastPathBlockers, timerUnarmed } from './fast-path/blockers.ts'
import type { Lifecycle } from './lifecycle.ts'
import { noSlot } from './table/session-table.ts'

/**
 * Longest slice of a background sweep between two yields to the event loop, in milliseconds: shorter than a
 * frame.
 */
const sliceMs = 4

/**
 * Number of sessions that expire in one step of a slice, and between two readings of the clock, where no
 * event is enqueued: a reading costs as much as an expiry.
 */
const silentEndsPerStep = 8

interface Sweep {
  readonly startedAt: number
  expired: number
}

/**
 * The removal of expired sessions: all of them in one step for `sweep`, and in the background from one
 * unref'd timer.
 *
 * The timer exists only while there are sessions that can expire. A background sweep works in slices and
 * yields to the event loop between them.
 */
export class Sweeper<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #intervalMs: number
  readonly #blockers: FastPathBlockers
  readonly #onSwept: () => void
  #timer: Timer | undefined
  #pause: Timer | undefined
  #backgroundSweep: Sweep | undefined
  #isStopped = false

  /** `onSwept` is called after each background sweep. */
  constructor(
    lifecycle: Lifecycle<T>,
    intervalMs: number,
    blockers: FastPathBlockers,
    onSwept: () => void = () => {},
  ) {
    this.#onSwept = onSwept
    this.#lifecycle = lifecycle
    this.#intervalMs = intervalMs
    this.#blockers = blockers
    blockers.block(timerUnarmed)
  }

  /** Arms or disarms the timer: it is needed while there are sessions that can expire. */
  updateTimer(): void {
    const isNeeded = !this.#isStopped && this.#lifecycle.table.expirableCount > 0
    if (isNeeded !== (this.#timer !== undefined)) this.#toggleTimer(isNeeded)
  }

  #toggleTimer(isNeeded: boolean): void {
    if (isNeeded) this.#arm()
    else this.#disarm()
  }

  stop(): void {
    this.#isStopped = true
    this.#backgroundSweep = undefined
    this.#disarm()
    this.#pause?.cancel()
    this.#pause = undefined
  }

  /** Retires all expired sessions in one step. Returns their number. */
  sweep(): number {
    return this.#lifecycle.step.runInBackground(() => {
      const sweep = this.#begin()
      for (;;) {
        const slot = this.#lifecycle.table.nextExpired(sweep.startedAt)
        if (slot === noSlot) break
        if (slot === 'paused') continue
        this.#lifecycle.expire(slot, sweep.startedAt)
        sweep.expired += 1
      }
      this.#finish(sweep)
      return sweep.expired
    })
  }

  #arm(): void {
    // Where the host has no timer, the next change tries again.
    const failure = 'the background sweep could not be scheduled'
    const timer = startTimer(this.#lifecycle, () => this.#onTimer(), this.#intervalMs, failure)
    if (timer !== undefined) this.#setTimer(timer)
  }

  #disarm(): void {
    const timer = this.#timer
    this.#setTimer(undefined)
    this.#contain(() => timer?.cancel())
  }

  #setTimer(timer: Timer | undefined): void {
    this.#timer = timer
    if (timer === undefined) this.#blockers.block(timerUnarmed)
    else this.#blockers.unblock(timerUnarmed)
  }

  #onTimer(): void {
    this.#setTimer(undefined)
    this.updateTimer()
    // A sweep that has slices left goes on; a second one would find the same sessions.
    if (this.#backgroundSweep !== undefined) return
    this.#contain(() => {
      this.#backgroundSweep = this.#begin()
    })
    this.#runSlice()
  }

  #runSlice(): void {
    this.#pause = undefined
    this.#contain(() => {
      const { clock, table, step } = this.#lifecycle
      const startedAt = clock.now()
      let now = startedAt
      while (this.#backgroundSweep !== undefined) {
        const sweep = this.#backgroundSweep
        step.runInBackground(() => this.#expireSome(sweep, now))
        if (this.#backgroundSweep === undefined) {
          this.#onSwept()
          return
        }
        // Listeners have run at the end of the step, so slow ones count towards the slice.
        now = clock.now()
        // With nothing left the sweep ends here: a process may exit in the pause, without `swept`.
        if (now - startedAt >= sliceMs && table.mayHaveExpired(sweep.startedAt)) {
          this.#yieldToEventLoop()
          return
        }
      }
    })
  }

  /** Retires one session, or a few while no event is enqueued. Ends the sweep after the last one. */
  #expireSome(sweep: Sweep, now: number): void {
    const { table, events } = this.#lifecycle
    for (let count = 0; count < silentEndsPerStep; count += 1) {
      const slot = table.nextExpired(sweep.startedAt)
      if (slot === 'paused') return
      if (slot === noSlot) {
        this.#backgroundSweep = undefined
        this.#finish(sweep)
        return
      }
      this.#lifecycle.expire(slot, now)
      sweep.expired += 1
      if (events.isPending) return
    }
  }

  /** Goes on after one iteration of the event loop. */
  #yieldToEventLoop(): void {
    const { clock, events } = this.#lifecycle
    const pause = events.context.timer(clock, () => this.#runSlice(), 0)
    this.#pause = pause
    // A timer takes a millisecond at least, so in a busy loop this comes first. An unref'd immediate does not
    // wake a loop that sleeps, so the timer is needed as well.
    events.context.nextLoopIteration(() => {
      if (this.#pause !== pause) return
      pause.cancel()
      this.#runSlice()
    })
  }

  #begin(): Sweep {
    return { startedAt: this.#lifecycle.clock.now(), expired: 0 }
  }

  #finish({ startedAt, expired }: Sweep): void {
    const { clock, table, log } = this.#lifecycle
    const summary = { expired, remaining: table.size, durationMs: clock.now() - startedAt }
    log.countSweep(clock.date(), summary)
    log.swept(summary)
  }

  /** Contains every failure, also of the clock: none may end the process or prevent later sweeps. */
  #contain(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#backgroundSweep = undefined
      this.#lifecycle.events.reportError(error, 'the background sweep failed')
    }
  }
}
