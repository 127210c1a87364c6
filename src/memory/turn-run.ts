import type { QueueEntry } from '../core/linked-queue.ts'
import type { Session } from '../core/session.ts'
import { TurnCall, type TurnCallInit } from '../core/turn-call.ts'
import type { Opens } from './opening.ts'
import type { SessionRecord } from './table/session-record.ts'

/** A call of `run` in the registry of one process. */
export class TurnRun<T> extends TurnCall<T> {
  declare readonly outer: TurnRun<T> | undefined
  /** The outermost turn of those that this one is a part of; itself, if it is nested in none. */
  readonly root: TurnRun<T>
  /** How many runs are nested in this outermost one, and have not settled. */
  nested = 0
  /** It had its place in the queue of a session that was ended, and begins again on a new one. */
  hadPlace = false
  /** The session that this run keeps from ending. */
  record: SessionRecord<T> | undefined = undefined
  /** The session of the turn, until its function has settled. */
  session: Session<T> | undefined = undefined
  /** A copy of the value as it was before the turn, for `rollback`; and whether it has been put back. */
  before: { readonly value: T } | undefined = undefined
  isUndone = false
  /** Its place in the queue of its session. */
  entry: QueueEntry<TurnRun<T>> | undefined = undefined
  /** How it waits for its session to come into memory. */
  waiter: Opens<T> | undefined = undefined

  constructor(call: TurnCallInit<T> & { readonly outer: TurnRun<T> | undefined }) {
    super(call)
    this.root = call.outer?.root ?? this
  }

  /** Whether it runs ahead of those waiting, and asks the running one to stop. */
  get isImpatient(): boolean {
    return this.whenBusy === 'interrupt' && !this.hadPlace
  }

  isPartOf(run: TurnRun<T>): boolean {
    for (let outer = this.outer; outer !== undefined; outer = outer.outer) if (outer === run) return true
    return false
  }
}
