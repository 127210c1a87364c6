import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import type { Session } from '../../core/session.ts'
import type { Timer } from '../../core/time/clock.ts'
import { HookCall, runInScope } from '../../core/turns/turn-scope.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** The archiving of one session, over all its tries. */
export class ArchiveJob<T> {
  readonly record: SessionRecord<T>
  readonly reason: ArchiveReason
  attempt = 0
  /** Its entry in the queue of jobs that are ready for a try. */
  entry: QueueEntry<ArchiveJob<T>> | undefined = undefined
  /** The controller of the try in flight; each try has its own. */
  controller: AbortController | undefined = undefined
  /** The timer of the try's limit, or of the pause after it. */
  timer: Timer | undefined = undefined
  /** Called when the id is free: by calls that wait for it. */
  readonly waiters = new Set<() => void>()

  constructor(record: SessionRecord<T>, reason: ArchiveReason) {
    this.record = record
    this.reason = reason
  }

  /**
   * Calls the hook for the next try. `onSettled` is called with its failure, if any, unless the job has
   * another try by then, or none.
   */
  callHook(
    owner: object,
    archive: ArchiveSession<T>,
    session: Session<T>,
    onSettled: (failure: { readonly error: unknown } | undefined) => void,
  ): void {
    const controller = new AbortController()
    const { signal } = controller
    this.attempt += 1
    this.controller = controller
    const { attempt, reason, record } = this
    const call = new HookCall()
    const settle = (failure?: { readonly error: unknown }) => {
      call.endScope()
      if (this.controller === controller) onSettled(failure)
    }
    let stored: Promise<unknown>
    try {
      const hook = () => archive(session, reason, { signal, attempt })
      stored = Promise.resolve(runInScope(owner, record.id, call, hook))
    } catch (error) {
      stored = Promise.reject(error)
    }
    stored.then(
      () => settle(),
      (error) => settle({ error }),
    )
  }

  /** Calls the waiters in a microtask, since they go on to call user code. */
  wakeWaiters(): void {
    if (this.waiters.size === 0) return
    queueMicrotask(() => {
      for (const resume of this.waiters) resume()
    })
  }
}
