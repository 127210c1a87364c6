import type { HookCall } from '../../core/async/hook-call.ts'
import type { EndReason } from '../../core/end-reason.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** The disposal of one value: of a session that has ended, or of one that never was a session. */
export class Disposal<T> {
  readonly id: string
  readonly reason: EndReason
  /** Whether the value was archived, or a store has it. */
  readonly isArchived: boolean
  /** The session; `undefined` where the value never was one's. */
  readonly record: SessionRecord<T> | undefined
  readonly value: T
  /** Monotonic time at which it began, if the value never was a session's. */
  begunAt = 0
  call: HookCall<unknown> | undefined = undefined
  /** Called when the id is free: by calls that wait for it. */
  readonly waiters = new Set<() => void>()

  constructor(
    value: T,
    { id, reason, isArchived, record }: Pick<Disposal<T>, 'id' | 'reason' | 'isArchived' | 'record'>,
  ) {
    this.value = value
    this.id = id
    this.reason = reason
    this.isArchived = isArchived
    this.record = record
  }

  /** Calls the waiters in a microtask, since they go on to call user code. */
  wakeWaiters(): void {
    if (this.waiters.size === 0) return
    queueMicrotask(() => {
      for (const resume of this.waiters) resume()
    })
  }
}
