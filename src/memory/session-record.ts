import type { IdleClass } from './idle-class.ts'
import type { SessionUse } from './session-use.ts'
import type { SessionView } from './session-view.ts'

/**
 * The state of a session. It is in one at a time, and `lifecycle.ts` alone moves it on.
 *
 * Numbers, because V8 keeps small integers in the object itself.
 */
export const sessionState = { active: 0, held: 1, archiving: 2, gone: 3 } as const

export type SessionState = (typeof sessionState)[keyof typeof sessionState]

/**
 * What the table keeps of a session: a node of a doubly linked list, and nothing that is not needed for every session.
 *
 * Memory counts here, once per live session. What only some need (the public {@link SessionView}, the turns) hangs on
 * a field that is `undefined` until then.
 */
export class SessionRecord<T> {
  readonly id: string
  value: T
  idleClass: IdleClass<T>
  /** Monotonic time of the last activity; all that a touch writes. */
  lastActive: number
  /** Monotonic time of the creation. */
  created: number
  /** The granule of time in which the record was last put in its place; see {@link IdleClass}. */
  linkedTick = 0
  state: SessionState = sessionState.active
  prev: SessionRecord<T> = this
  next: SessionRecord<T> = this
  view: SessionView<T> | undefined = undefined
  use: SessionUse<T> | undefined = undefined

  constructor(id: string, value: T, idleClass: IdleClass<T>, now: number) {
    this.id = id
    this.value = value
    this.idleClass = idleClass
    this.lastActive = now
    this.created = now
  }
}

/** A record of a registry with an absolute timeout: also a node of the list in order of creation. */
export class AgingSessionRecord<T> extends SessionRecord<T> {
  older: AgingSessionRecord<T> = this
  younger: AgingSessionRecord<T> = this
}
