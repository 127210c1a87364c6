import type { Timer } from '../core/clock.ts'
import type { ArchiveReason } from '../core/end-reason.ts'
import type { SessionRecord } from './table/session-record.ts'

/** The archiving of one session. */
export class ArchiveJob<T> {
  readonly record: SessionRecord<T>
  readonly reason: ArchiveReason
  attempt = 0
  /** Whether it is ready for a try, and waits for a place. */
  isReady = false
  /** Aborts the try under way; another one stands for another try. */
  trying: AbortController | undefined = undefined
  /** The limit of the try, or the pause after it. */
  timer: Timer | undefined = undefined
  /** Those who wait for the id. */
  readonly waiters = new Set<() => void>()

  constructor(record: SessionRecord<T>, reason: ArchiveReason) {
    this.record = record
    this.reason = reason
  }
}

/** How many taken jobs a queue keeps in front before it moves the rest up: rare enough to cost nothing per job. */
const compactAt = 1024

/** Jobs that are ready, first come first. One that is ready no more, or was taken from another queue, is passed over. */
export class JobQueue<T> {
  #jobs: ArchiveJob<T>[] = []
  #head = 0

  add(job: ArchiveJob<T>): void {
    this.#jobs.push(job)
  }

  take(): ArchiveJob<T> | undefined {
    while (this.#head < this.#jobs.length) {
      const job = this.#jobs[this.#head]
      this.#head += 1
      if (this.#head >= compactAt && this.#head * 2 >= this.#jobs.length) {
        this.#jobs = this.#jobs.slice(this.#head)
        this.#head = 0
      }
      if (job?.isReady) {
        job.isReady = false
        return job
      }
    }
    this.#jobs = []
    this.#head = 0
    return undefined
  }
}
