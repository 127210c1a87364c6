import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { Session } from '../../core/session.ts'
import { TurnCall, type TurnCallInit } from '../../core/turns/turn-call.ts'
import type { OpenRequest } from '../pending-open.ts'
import type { SessionRecord } from '../session/session-record.ts'

/** A call of `run` in the registry of one process. */
export class TurnRun<T> extends TurnCall<T> {
  declare readonly outer: TurnRun<T> | undefined
  /** The outermost turn of those that this one is a part of; itself, if it is nested in none. */
  readonly root: TurnRun<T>
  /** How many runs are nested in this outermost one, and have not settled. */
  nested = 0
  /** It had its place in the queue of a session that was ended, and begins again on a new one. */
  wasQueued = false
  /** The session that this run keeps from ending. */
  record: SessionRecord<T> | undefined = undefined
  /** The session of the turn, until its function has settled. */
  session: Session<T> | undefined = undefined
  /** A copy of the value as it was before the turn, for `rollback`; and whether it has been put back. */
  snapshot: { readonly value: T } | undefined = undefined
  isRolledBack = false
  /** Its place in the queue of its session. */
  entry: QueueEntry<TurnRun<T>> | undefined = undefined
  /** How it waits for its session to come into memory. */
  openRequest: OpenRequest<T> | undefined = undefined

  constructor(call: TurnCallInit<T> & { readonly outer: TurnRun<T> | undefined }) {
    super(call)
    this.root = call.outer?.root ?? this
  }

  /** Whether it runs ahead of those waiting, and asks the running one to stop. */
  get jumpsQueue(): boolean {
    return this.whenBusy === 'interrupt' && !this.wasQueued
  }

  isPartOf(run: TurnRun<T>): boolean {
    for (let outer = this.outer; outer !== undefined; outer = outer.outer) if (outer === run) return true
    return false
  }
}
