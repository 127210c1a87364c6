import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { Session } from '../../core/session.ts'
import { TurnCall, type TurnCallInit } from '../../core/turns/turn-call.ts'
import type { OpenRequest } from '../pending-open.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** A call of `run` in the registry of one process. */
export class TurnRun<T> extends TurnCall<T> {
  declare readonly outer: TurnRun<T> | undefined
  /** The outermost turn that this one is part of; itself, if it is nested in none. */
  readonly root: TurnRun<T>
  /** Number of unsettled runs that are nested in this one, if it is the outermost. */
  nested = 0
  /** Whether it waited for a session that ended, and begins again on a new one. */
  wasQueued = false
  /** The record of the session that it keeps from ending. */
  record: SessionRecord<T> | undefined = undefined
  /** The session that its function was called with, until that has settled. */
  session: Session<T> | undefined = undefined
  /** A copy of the value from before the turn, for `rollback`, and whether it has been put back. */
  snapshot: { readonly value: T } | undefined = undefined
  isRolledBack = false
  /** Its entry in the queue of its session. */
  entry: QueueEntry<TurnRun<T>> | undefined = undefined
  /** Its request, while it waits for its session to be opened. */
  openRequest: OpenRequest<T> | undefined = undefined

  constructor(call: TurnCallInit<T> & { readonly outer: TurnRun<T> | undefined }) {
    super(call)
    this.root = call.outer?.root ?? this
  }

  /** Its function has succeeded, and its session is being saved: the last part of the turn. */
  override beginSaving(): void {
    super.beginSaving()
    this.session = undefined
    // A value that was saved, or is to be, is not rolled back.
    this.snapshot = undefined
  }

  /** Whether it runs before the turns that wait, and aborts the running one. */
  get jumpsQueue(): boolean {
    return this.whenBusy === 'interrupt' && !this.wasQueued
  }

  isPartOf(run: TurnRun<T>): boolean {
    for (let outer = this.outer; outer !== undefined; outer = outer.outer) if (outer === run) return true
    return false
  }
}
