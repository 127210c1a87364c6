import { LinkedQueue } from '../core/linked-queue.ts'
import type { ArchiveJob } from './archive-job.ts'
import { Burst } from './burst.ts'
import type { Lifecycle } from './lifecycle.ts'

/** Runs what it is given, later. */
type Later = (pump: () => void) => void

/**
 * Runs a bounded number of tries at once. Those whose id a call waits for come first.
 *
 * It lets the event loop go round now and then: a store that answers at once would have one try after another made in
 * microtasks, and nothing else would get to run.
 */
export class ArchivePump<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #concurrency: number
  readonly #begin: (job: ArchiveJob<T>) => void
  readonly #urgent = new LinkedQueue<ArchiveJob<T>>()
  readonly #ordinary = new LinkedQueue<ArchiveJob<T>>()
  readonly #burst: Burst
  #underWay = 0
  #isScheduled = false

  /** `begin` starts a try; each is to be followed by {@link finish}. */
  constructor(lifecycle: Lifecycle<T>, concurrency: number, begin: (job: ArchiveJob<T>) => void) {
    this.#lifecycle = lifecycle
    this.#concurrency = concurrency
    this.#begin = begin
    this.#burst = new Burst(lifecycle.clock)
  }

  /** A job is ready for a try. One that was ready before gets the place that it has a right to now. */
  add(job: ArchiveJob<T>, later?: Later): void {
    job.entry?.remove()
    const queue = job.waiters.size > 0 ? this.#urgent : this.#ordinary
    job.entry = queue.push(job)
    this.schedule(later)
  }

  /** A try has ended: another may begin in its place, when it is scheduled. */
  finish(): void {
    this.#underWay -= 1
  }

  schedule(later: Later = queueMicrotask): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    later(() => {
      this.#isScheduled = false
      this.#lifecycle.announcer.context.run(() => this.pump())
    })
  }

  /** Begins as many tries as there are places for. */
  pump(): void {
    if (this.#isScheduled) return
    while (this.#underWay < this.#concurrency) {
      const job = this.#urgent.shift() ?? this.#ordinary.shift()
      if (job === undefined) return
      this.#underWay += 1
      this.#begin(job)
      if (this.#burst.isLong()) {
        // It keeps the process alive: a loop that has nothing else to do would sleep on, with sessions that wait.
        this.schedule((pump) => this.#lifecycle.announcer.context.afterLoopTurn(pump, { keepsAlive: true }))
        return
      }
    }
  }
}
