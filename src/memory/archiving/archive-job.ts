import type { HookCall } from '../../core/async/hook-call.ts'
import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import type { Timer } from '../../core/time/clock.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** The archiving of one session, over all its tries. */
export class ArchiveJob<T> {
  readonly record: SessionRecord<T>
  readonly reason: ArchiveReason
  attempt = 0
  /** Its entry in the queue of jobs that are ready for a try. */
  entry: QueueEntry<ArchiveJob<T>> | undefined = undefined
  /** The try in flight. */
  call: HookCall<unknown> | undefined = undefined
  /** The pause after a try. */
  pause: Timer | undefined = undefined
  /** Called when the id is free: by calls that wait for it. */
  readonly waiters = new Set<() => void>()

  get isAwaited(): boolean {
    return this.waiters.size > 0
  }

  constructor(record: SessionRecord<T>, reason: ArchiveReason) {
    this.record = record
    this.reason = reason
  }

  /** Sets whether the try in flight or the pause keeps the process alive. */
  keepAlive(isOn: boolean): void {
    for (const timer of [this.call, this.pause]) isOn ? timer?.ref() : timer?.unref()
  }

  /** Calls the waiters in a microtask, since they go on to call user code. */
  wakeWaiters(): void {
    if (this.waiters.size === 0) return
    queueMicrotask(() => {
      for (const resume of this.waiters) resume()
    })
  }
}
