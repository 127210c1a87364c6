import { type FastPathBlockers, timerUnarmed } from '../core/events/fast-path-blockers.ts'
import type { Timer } from '../core/time/clock.ts'
import type { Lifecycle } from './lifecycle.ts'
import { noSlot } from './table/session-table.ts'

/** The longest that a slice of a background sweep keeps the event loop: a fraction of what a person or a peer notices. */
const sliceMs = 4

/** So many sessions that nobody is told of end between two looks at the clock, which cost as much as an end. */
const silentEndsPerClockRead = 8

interface Sweep {
  readonly startedAt: number
  expired: number
}

/**
 * Finds the sessions that are over: in one go when asked, and in the background from one unref'd timer.
 *
 * The timer exists only while there are sessions that could end by time. A background sweep works in slices and lets
 * the event loop go round between them.
 */
export class Sweeper<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #intervalMs: number
  readonly #blockers: FastPathBlockers
  #timer: Timer | undefined
  #pause: Timer | undefined
  #backgroundSweep: Sweep | undefined
  #isStopped = false

  constructor(lifecycle: Lifecycle<T>, intervalMs: number, blockers: FastPathBlockers) {
    this.#lifecycle = lifecycle
    this.#intervalMs = intervalMs
    this.#blockers = blockers
    blockers.block(timerUnarmed)
  }

  /** Starts or stops the timer, as there are sessions that could end by time. */
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

  /** Lets go all that are over, now and in one go; the caller delivers what there is to tell. */
  sweep(): number {
    return this.#lifecycle.events.inBackground(() => {
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
    try {
      const { clock, events } = this.#lifecycle
      this.#setTimer(events.context.timer(clock, () => this.#onTimer(), this.#intervalMs))
    } catch (error) {
      // A host that gives no timer must not make a creation fail; the next change tries again.
      this.#lifecycle.events.reportError(error, 'the background sweep could not be scheduled')
    }
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
    // A sweep that is still in its slices goes on; another beside it would find the same.
    if (this.#backgroundSweep === undefined) {
      this.#contain(() => {
        this.#backgroundSweep = this.#begin()
      })
      this.#runSlice()
    }
    this.#lifecycle.events.flush()
  }

  #runSlice(): void {
    this.#pause = undefined
    const { clock, table, events } = this.#lifecycle
    this.#contain(() => {
      const startedAt = clock.now()
      let now = startedAt
      let silentEnds = 0
      for (;;) {
        const sweep = this.#backgroundSweep
        if (sweep === undefined) return
        const slot = table.nextExpired(sweep.startedAt)
        if (slot === noSlot) {
          this.#backgroundSweep = undefined
          this.#finish(sweep)
          break
        }
        if (slot !== 'paused') {
          this.#lifecycle.expire(slot, now)
          sweep.expired += 1
          silentEnds += 1
          if (!events.isPending && silentEnds < silentEndsPerClockRead) continue
          silentEnds = 0
          // Session by session, so that slow listeners count towards the slice.
          events.flush()
        }
        now = clock.now()
        // With nothing left the sweep ends here: a process may exit in the pause, and `swept` would never be told.
        const isSliceUsedUp = now - startedAt >= sliceMs && table.mayHaveExpired(sweep.startedAt)
        if (isSliceUsedUp && this.#backgroundSweep !== undefined) {
          this.#yieldToEventLoop()
          return
        }
      }
    })
    events.flush()
  }

  /** Lets the event loop go round once, and goes on. */
  #yieldToEventLoop(): void {
    const { clock, events } = this.#lifecycle
    const pause = events.context.timer(clock, () => this.#runSlice(), 0)
    this.#pause = pause
    // A timer takes a millisecond at least. In a loop that has other work this comes first; one that sleeps is never woken
    // by what keeps no process alive, so the timer is needed as well.
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
    const { clock, table, counters, events } = this.#lifecycle
    const durationMs = clock.now() - startedAt
    counters.lastSweep = { at: Math.round(clock.date()), expired, durationMs }
    const summary = { expired, remaining: table.size, durationMs }
    if (expired > 0)
      events.enqueue('swept', [summary], { level: 'info', message: 'sweep done', fields: summary })
    else if (events.isLogged('debug'))
      events.log({ level: 'debug', message: 'sweep found nothing', fields: summary })
  }

  /** No failure in here, not even one of the clock, may end the process or keep later sweeps from running. */
  #contain(work: () => void): void {
    try {
      this.#lifecycle.events.inBackground(work)
    } catch (error) {
      this.#backgroundSweep = undefined
      this.#lifecycle.events.reportError(error, 'the background sweep failed')
    }
  }
}
