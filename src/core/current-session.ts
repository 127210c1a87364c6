import { refOf } from './ids/id-ref.ts'
import type { Session } from './session.ts'

/** The session of the turn in which the caller is: for log lines and traces. */
export interface CurrentSession {
  readonly id: string
  /** The keyed hash that stands for the id in log lines. */
  readonly ref: string
  /** Names this life of the id. */
  readonly incarnation: string
}

/** What `current()` shows of the session of a turn; `undefined` outside of any. */
export function currentSession(session: Session<unknown> | undefined): CurrentSession | undefined {
  if (session === undefined) return undefined
  const { id, incarnation } = session
  return { id, ref: refOf(id), incarnation }
}
