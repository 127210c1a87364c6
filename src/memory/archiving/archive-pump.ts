import { LinkedQueue } from '../../core/async/linked-queue.ts'
import { TimeSlice } from '../../core/time/time-slice.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { ArchiveJob } from './archive-job.ts'

/** Calls a function later. */
type Scheduler = (pump: () => void) => void

/**
 * The order in which tries begin: a bounded number at once, those whose id a call waits for first.
 *
 * It yields to the event loop from time to time. With a store that answers at once, one try after another
 * would begin in microtasks, and nothing else would run.
 */
export class ArchivePump<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #concurrency: number
  readonly #startTry: (job: ArchiveJob<T>) => void
  readonly #urgent = new LinkedQueue<ArchiveJob<T>>()
  readonly #ordinary = new LinkedQueue<ArchiveJob<T>>()
  readonly #slice: TimeSlice
  #running = 0
  #isScheduled = false

  /** `startTry` starts a try; each must be followed by {@link finish}. */
  constructor(lifecycle: Lifecycle<T>, concurrency: number, startTry: (job: ArchiveJob<T>) => void) {
    this.#lifecycle = lifecycle
    this.#concurrency = concurrency
    this.#startTry = startTry
    this.#slice = new TimeSlice(lifecycle.clock)
  }

  /** Adds a job that is ready for a try. One that was ready before is moved if a call waits for it now. */
  add(job: ArchiveJob<T>, schedule?: Scheduler): void {
    job.entry?.remove()
    const queue = job.waiters.size > 0 ? this.#urgent : this.#ordinary
    job.entry = queue.push(job)
    this.schedule(schedule)
  }

  /** Counts a try as ended. The next one begins when it is scheduled. */
  finish(): void {
    this.#running -= 1
  }

  schedule(schedule: Scheduler = queueMicrotask): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    schedule(() => {
      this.#isScheduled = false
      this.#lifecycle.events.context.run(() => this.pump())
    })
  }

  /** Begins tries up to the bound. */
  pump(): void {
    if (this.#isScheduled) return
    while (this.#running < this.#concurrency) {
      const job = this.#urgent.shift() ?? this.#ordinary.shift()
      if (job === undefined) return
      this.#running += 1
      this.#startTry(job)
      if (this.#slice.isUsedUp()) {
        // Kept alive: a loop without other work would end with sessions that wait.
        this.schedule((pump) => this.#lifecycle.events.context.nextLoopIteration(pump, { keepsAlive: true }))
        return
      }
    }
  }
}
