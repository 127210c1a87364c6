import { TurnCall } from '../core/turn-call.ts'
import type { Opens } from './opener.ts'
import type { SessionRecord } from './session-record.ts'

/** A call of `run` in the registry of one process. */
export class TurnRun<T> extends TurnCall<T> {
  declare readonly outer: TurnRun<T> | undefined
  /** The session that this run keeps from ending. */
  record: SessionRecord<T> | undefined = undefined
  /** How it waits for its session to come into memory. */
  waiter: Opens<T> | undefined = undefined
}
