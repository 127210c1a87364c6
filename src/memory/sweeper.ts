import type { Timer } from '../core/clock.ts'
import { type Concerns, timerIsOff } from '../core/concerns.ts'
import type { Lifecycle } from './lifecycle.ts'
import { breath } from './table/idle-class.ts'
import { noSlot } from './table/slot-page.ts'

/** The longest that a slice of a background sweep keeps the event loop: a fraction of what a person or a peer notices. */
const sliceMs = 4

/** So many sessions that nobody is told of end between two looks at the clock, which cost as much as an end. */
const quietEndsPerLook = 8

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
  readonly #concerns: Concerns
  #timer: Timer | undefined
  #pause: Timer | undefined
  #background: Sweep | undefined
  #stopped = false

  constructor(lifecycle: Lifecycle<T>, intervalMs: number, concerns: Concerns) {
    this.#lifecycle = lifecycle
    this.#intervalMs = intervalMs
    this.#concerns = concerns
    concerns.raise(timerIsOff)
  }

  /** Starts or stops the timer, as there are sessions that could end by time. */
  update(): void {
    const isNeeded = !this.#stopped && this.#lifecycle.table.expirableCount > 0
    if (isNeeded !== (this.#timer !== undefined)) this.#change(isNeeded)
  }

  #change(isNeeded: boolean): void {
    if (isNeeded) this.#arm()
    else this.#disarm()
  }

  stop(): void {
    this.#stopped = true
    this.#background = undefined
    this.#disarm()
    this.#pause?.cancel()
    this.#pause = undefined
  }

  /** Lets go all that are over, now and in one go; the caller delivers what there is to tell. */
  sweep(): number {
    return this.#lifecycle.announcer.inBackground(() => {
      const sweep = this.#begin()
      for (;;) {
        const slot = this.#lifecycle.table.nextOver(sweep.startedAt)
        if (slot === noSlot) break
        if (slot === breath) continue
        this.#lifecycle.expire(slot, sweep.startedAt)
        sweep.expired += 1
      }
      this.#finish(sweep)
      return sweep.expired
    })
  }

  #arm(): void {
    try {
      const { clock, announcer } = this.#lifecycle
      this.#setTimer(announcer.context.timer(clock, () => this.#tick(), this.#intervalMs))
    } catch (error) {
      // A host that gives no timer must not make a creation fail; the next change tries again.
      this.#lifecycle.announcer.report(error, 'the background sweep could not be scheduled')
    }
  }

  #disarm(): void {
    const timer = this.#timer
    this.#setTimer(undefined)
    this.#contain(() => timer?.cancel())
  }

  #setTimer(timer: Timer | undefined): void {
    this.#timer = timer
    if (timer === undefined) this.#concerns.raise(timerIsOff)
    else this.#concerns.settle(timerIsOff)
  }

  #tick(): void {
    this.#setTimer(undefined)
    this.update()
    // A sweep that is still in its slices goes on; another beside it would find the same.
    if (this.#background === undefined) {
      this.#contain(() => {
        this.#background = this.#begin()
      })
      this.#slice()
    }
    this.#lifecycle.announcer.deliver()
  }

  #slice(): void {
    this.#pause = undefined
    const { clock, table, announcer } = this.#lifecycle
    this.#contain(() => {
      const startedAt = clock.now()
      let now = startedAt
      let quietEnds = 0
      for (;;) {
        const sweep = this.#background
        if (sweep === undefined) return
        const slot = table.nextOver(sweep.startedAt)
        if (slot === noSlot) {
          this.#background = undefined
          this.#finish(sweep)
          break
        }
        if (slot !== breath) {
          this.#lifecycle.expire(slot, now)
          sweep.expired += 1
          quietEnds += 1
          if (!announcer.hasNews && quietEnds < quietEndsPerLook) continue
          quietEnds = 0
          // Session by session, so that slow listeners count towards the slice.
          announcer.deliver()
        }
        now = clock.now()
        // With nothing left the sweep ends here: a process may exit in the pause, and `swept` would never be told.
        const isCut = now - startedAt >= sliceMs && table.mayHaveOver(sweep.startedAt)
        if (isCut && this.#background !== undefined) {
          this.#rest()
          return
        }
      }
    })
    announcer.deliver()
  }

  /** Lets the event loop go round once, and goes on. */
  #rest(): void {
    const { clock, announcer } = this.#lifecycle
    const pause = announcer.context.timer(clock, () => this.#slice(), 0)
    this.#pause = pause
    // A timer takes a millisecond at least. In a loop that has other work this comes first; one that sleeps is never woken
    // by what keeps no process alive, so the timer is needed as well.
    announcer.context.afterLoopTurn(() => {
      if (this.#pause !== pause) return
      pause.cancel()
      this.#slice()
    })
  }

  #begin(): Sweep {
    return { startedAt: this.#lifecycle.clock.now(), expired: 0 }
  }

  #finish({ startedAt, expired }: Sweep): void {
    const { clock, table, counters, announcer } = this.#lifecycle
    const durationMs = clock.now() - startedAt
    counters.lastSweep = { at: Math.round(clock.date()), expired, durationMs }
    const summary = { expired, remaining: table.size, durationMs }
    if (expired > 0)
      announcer.push('swept', [summary], { level: 'info', message: 'sweep done', fields: summary })
    else if (announcer.isLogged('debug'))
      announcer.log({ level: 'debug', message: 'sweep found nothing', fields: summary })
  }

  /** No failure in here, not even one of the clock, may end the process or keep later sweeps from running. */
  #contain(work: () => void): void {
    try {
      this.#lifecycle.announcer.inBackground(work)
    } catch (error) {
      this.#background = undefined
      this.#lifecycle.announcer.report(error, 'the background sweep failed')
    }
  }
}
