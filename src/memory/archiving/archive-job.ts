import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import type { Timer } from '../../core/time/clock.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** The archiving of one session. */
export class ArchiveJob<T> {
  readonly record: SessionRecord<T>
  readonly reason: ArchiveReason
  attempt = 0
  /** Its place among those that are ready for a try. */
  entry: QueueEntry<ArchiveJob<T>> | undefined = undefined
  /** Aborts the try under way; another one stands for another try. */
  controller: AbortController | undefined = undefined
  /** The limit of the try, or the pause after it. */
  timer: Timer | undefined = undefined
  /** Those who wait for the id. */
  readonly waiters = new Set<() => void>()

  constructor(record: SessionRecord<T>, reason: ArchiveReason) {
    this.record = record
    this.reason = reason
  }

  /** Calls those who wait: later, because they go on to call the user's code, and this may be the middle of a `clear`. */
  wakeWaiters(): void {
    if (this.waiters.size === 0) return
    queueMicrotask(() => {
      for (const resume of this.waiters) resume()
    })
  }
}
