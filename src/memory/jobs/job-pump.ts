import { LinkedQueue, type QueueEntry } from '../../core/async/linked-queue.ts'
import type { EventQueue } from '../../core/events/event-queue.ts'
import type { FullClock } from '../../core/time/clock.ts'
import { TimeSlice } from '../../core/time/time-slice.ts'

/** Work on the store of the user, over all its tries. */
export interface Job<J> {
  /** Its entry in the queue of jobs that are ready for a try. */
  entry: QueueEntry<J> | undefined
  /** Whether a call waits for it. */
  readonly isAwaited: boolean
}

export interface PumpHost {
  readonly clock: FullClock
  readonly events: EventQueue
}

/** Calls a function later. */
type Scheduler = (pump: () => void) => void

/**
 * The order in which tries begin: a bounded number at once, those whose id a call waits for first.
 *
 * It yields to the event loop from time to time. With a store that answers at once, one try after another
 * would begin in microtasks, and nothing else would run.
 */
export class JobPump<J extends Job<J>> {
  readonly #host: PumpHost
  readonly #concurrency: number
  readonly #startTry: (job: J) => void
  readonly #urgent = new LinkedQueue<J>()
  readonly #ordinary = new LinkedQueue<J>()
  readonly #slice: TimeSlice
  #running = 0
  #isScheduled = false

  /** `startTry` starts a try; each must be followed by {@link finish}. */
  constructor(host: PumpHost, concurrency: number, startTry: (job: J) => void) {
    this.#host = host
    this.#concurrency = concurrency
    this.#startTry = startTry
    this.#slice = new TimeSlice(host.clock)
  }

  /** Adds a job that is ready for a try. One that was ready before is moved if a call waits for it now. */
  add(job: J, schedule?: Scheduler): void {
    job.entry?.remove()
    const queue = job.isAwaited ? this.#urgent : this.#ordinary
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
      this.#host.events.context.run(() => this.pump())
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
        this.schedule((pump) => this.#host.events.context.nextLoopIteration(pump, { keepsAlive: true }))
        return
      }
    }
  }
}
