import { LinkedQueue } from '../../core/async/linked-queue.ts'
import { TimeSlice } from '../../core/time/time-slice.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { ArchiveJob } from './archive-job.ts'

/** Runs what it is given, later. */
type Scheduler = (pump: () => void) => void

/**
 * Runs a bounded number of tries at once. Those whose id a call waits for come first.
 *
 * It lets the event loop go round now and then: a store that answers at once would have one try after another made in
 * microtasks, and nothing else would get to run.
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

  /** `begin` starts a try; each is to be followed by {@link finish}. */
  constructor(lifecycle: Lifecycle<T>, concurrency: number, startTry: (job: ArchiveJob<T>) => void) {
    this.#lifecycle = lifecycle
    this.#concurrency = concurrency
    this.#startTry = startTry
    this.#slice = new TimeSlice(lifecycle.clock)
  }

  /** A job is ready for a try. One that was ready before gets the place that it has a right to now. */
  add(job: ArchiveJob<T>, schedule?: Scheduler): void {
    job.entry?.remove()
    const queue = job.waiters.size > 0 ? this.#urgent : this.#ordinary
    job.entry = queue.push(job)
    this.schedule(schedule)
  }

  /** A try has ended: another may begin in its place, when it is scheduled. */
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

  /** Begins as many tries as there are places for. */
  pump(): void {
    if (this.#isScheduled) return
    while (this.#running < this.#concurrency) {
      const job = this.#urgent.shift() ?? this.#ordinary.shift()
      if (job === undefined) return
      this.#running += 1
      this.#startTry(job)
      if (this.#slice.isUsedUp()) {
        // It keeps the process alive: a loop that has nothing else to do would sleep on, with sessions that wait.
        this.schedule((pump) => this.#lifecycle.events.context.nextLoopIteration(pump, { keepsAlive: true }))
        return
      }
    }
  }
}
