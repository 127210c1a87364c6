import { refOf } from './ids/id-ref.ts'
import type { Session } from './session.ts'

/** The session of the turn that the caller is a part of: for log lines and traces. */
export interface CurrentSession {
  readonly id: string
  /** The keyed hash of the id, as log lines show it by default. */
  readonly ref: string
  /** The name of this incarnation of the id. */
  readonly incarnation: string
}

/** Returns what `current()` returns for the session of a turn; `undefined` outside of turns. */
export function currentSession(session: Session<unknown> | undefined): CurrentSession | undefined {
  if (session === undefined) return undefined
  const { id, incarnation } = session
  return { id, ref: refOf(id), incarnation }
}
