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
  // Declared only: a field that is defined first and assigned afterwards has held `undefined`, and V8 then makes a new
  // heap number at each touch instead of writing into the one it has. What a touch reads stands first.

  /** Monotonic time of the last activity; all that a touch writes. */
  declare lastActive: number
  declare idleClass: IdleClass<T>
  /** The granule of time in which the record was last put in its place; see {@link IdleClass}. */
  declare linkedTick: number
  declare value: T
  declare state: SessionState
  declare readonly id: string
  /** Monotonic time of the creation. */
  declare created: number
  declare prev: SessionRecord<T>
  declare next: SessionRecord<T>
  declare view: SessionView<T> | undefined
  declare use: SessionUse<T> | undefined

  constructor(id: string, value: T, idleClass: IdleClass<T>, now: number) {
    this.lastActive = now
    this.idleClass = idleClass
    this.linkedTick = 0
    this.value = value
    this.state = sessionState.active
    this.id = id
    this.created = now
    this.prev = this
    this.next = this
    this.view = undefined
    this.use = undefined
  }
}

/** A record of a registry with an absolute timeout: also a node of the list in order of creation. */
export class AgingSessionRecord<T> extends SessionRecord<T> {
  older: AgingSessionRecord<T> = this
  younger: AgingSessionRecord<T> = this
}
