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

const moment = new Float64Array(1)

/**
 * The two halves of {@link moment}: what is written into one is read from the other.
 *
 * A record keeps its times so, every bit of them. V8 puts a number with a fraction into an object of its own, 16 bytes
 * somewhere else in memory; small integers, which these halves are, it keeps in the record itself. So a touch fetches one
 * cache line less, and a session needs 32 bytes less.
 */
const halves = new Int32Array(moment.buffer)

/**
 * What the table keeps of a session: a node of a doubly linked list, and nothing that is not needed for every session.
 *
 * Memory counts here, once per live session. What only some need (the public {@link SessionView}, the turns) hangs on
 * a field that is `undefined` until then.
 */
export class SessionRecord<T> {
  // Declared only: a field that is defined first and assigned afterwards has held `undefined`, and V8 then keeps it as a
  // tagged value. What a touch reads stands first.

  // The two halves of each time: see {@link halves}.
  declare private activeLow: number
  declare private activeHigh: number
  declare idleClass: IdleClass<T>
  /** The granule of time in which the record was last put in its place; see {@link IdleClass}. */
  declare linkedTick: number
  declare value: T
  declare state: SessionState
  declare readonly id: string
  declare private createdLow: number
  declare private createdHigh: number
  declare prev: SessionRecord<T>
  declare next: SessionRecord<T>
  declare view: SessionView<T> | undefined
  declare use: SessionUse<T> | undefined

  constructor(id: string, value: T, idleClass: IdleClass<T>, now: number) {
    moment[0] = now
    this.activeLow = halves[0] as number
    this.activeHigh = halves[1] as number
    this.idleClass = idleClass
    this.linkedTick = 0
    this.value = value
    this.state = sessionState.active
    this.id = id
    this.createdLow = halves[0] as number
    this.createdHigh = halves[1] as number
    this.prev = this
    this.next = this
    this.view = undefined
    this.use = undefined
  }

  /** Monotonic time of the last activity; all that a touch writes. */
  get lastActive(): number {
    halves[0] = this.activeLow
    halves[1] = this.activeHigh
    return moment[0] as number
  }

  set lastActive(now: number) {
    moment[0] = now
    this.activeLow = halves[0] as number
    this.activeHigh = halves[1] as number
  }

  /** Monotonic time of the creation. */
  get created(): number {
    halves[0] = this.createdLow
    halves[1] = this.createdHigh
    return moment[0] as number
  }

  set created(now: number) {
    moment[0] = now
    this.createdLow = halves[0] as number
    this.createdHigh = halves[1] as number
  }
}

/** A record of a registry with an absolute timeout: also a node of the list in order of creation. */
export class AgingSessionRecord<T> extends SessionRecord<T> {
  older: AgingSessionRecord<T> = this
  younger: AgingSessionRecord<T> = this
}
