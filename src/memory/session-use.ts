import type { HoldTicket } from './hold.ts'
import type { TurnRun } from './turn-run.ts'

/**
 * Who uses a session at present. It hangs on a record only while somebody does: a session that is never held pays
 * nothing for it.
 */
export class SessionUse<T> {
  /** The one turn that excludes others. */
  running: TurnRun<T> | undefined = undefined
  /** Turns that wait for it, first come first. */
  queue: TurnRun<T>[] = []
  /** Turns that run beside it, and holds. */
  readonly others = new Set<TurnRun<T> | HoldTicket<T>>()

  get isFree(): boolean {
    return this.running === undefined && this.queue.length === 0 && this.others.size === 0
  }

  /** Whether a turn that excludes others would have to wait. */
  get isBusy(): boolean {
    return this.running !== undefined || this.queue.length > 0
  }
}
