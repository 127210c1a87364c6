import { LinkedQueue } from '../../core/async/linked-queue.ts'
import { type InspectedParts, inspectedTurn } from '../../core/watching/inspected-session.ts'
import type { TurnRun } from '../turns/turn-run.ts'
import { HoldTicket } from './hold.ts'
import type { SessionRecord } from './session-record.ts'

/** Returns the users of a session; `undefined` while it is not in use. */
export function usersOf<T>(record: SessionRecord<T>): SessionUsers<T> | undefined {
  // The record does not know the type, since turns and holds know the record.
  return record.users as SessionUsers<T> | undefined
}

const none: readonly (() => void)[] = []

const noUsers: ReadonlySet<never> = new Set<never>()

/** The turns and holds of a session in use. A record has it only as long as there is one. */
export class SessionUsers<T> {
  /** The turn that excludes others, until it and all turns nested in it have settled. */
  running: TurnRun<T> | undefined = undefined
  /** Turns that wait for it, in their order. */
  readonly #queue = new LinkedQueue<TurnRun<T>>()
  // Made when there is one: most sessions in use have one turn, and a set costs as much as that.
  #concurrent: Set<TurnRun<T> | HoldTicket<T>> | undefined = undefined
  /** Called once, between two turns: for a save that waits for the running one. */
  #onTurnEnd: (() => void)[] | undefined = undefined

  /** Turns that run beside it, nested ones, and holds. */
  get concurrent(): ReadonlySet<TurnRun<T> | HoldTicket<T>> {
    return this.#concurrent ?? noUsers
  }

  get isUnused(): boolean {
    return this.running === undefined && this.#queue.size === 0 && this.concurrent.size === 0
  }

  /** Whether another turn that excludes others has to wait. */
  get hasExclusive(): boolean {
    return this.running !== undefined || this.#queue.size > 0
  }

  /**
   * Number of turns that wait for another turn. The first of a queue is about to begin while none is running.
   */
  get waiting(): number {
    return this.running === undefined ? Math.max(this.#queue.size - 1, 0) : this.#queue.size
  }

  /** Whether a turn of any kind is running. */
  get hasTurn(): boolean {
    if (this.running !== undefined) return true
    for (const user of this.concurrent)
      if (!(user instanceof HoldTicket) && user.phase === 'running') return true
    return false
  }

  /** Returns how the session is used, for `inspect()`. */
  inspect(now: number): Pick<InspectedParts, 'running' | 'waiting' | 'holds'> {
    const holds: { readonly sinceMs: number }[] = []
    let { running } = this
    let waiting = this.#queue.size
    for (const user of this.concurrent) {
      if (user instanceof HoldTicket) holds.push({ sinceMs: now - user.begunAt })
      else if (user.phase === 'waiting') waiting += 1
      else running ??= user
    }
    return { running: running && inspectedTurn(running, now), waiting, holds }
  }

  /** Returns the present users, except turns that wait; the turn that excludes others first. */
  list(): (TurnRun<T> | HoldTicket<T>)[] {
    return this.running === undefined ? [...this.concurrent] : [this.running, ...this.concurrent]
  }

  addHold(ticket: HoldTicket<T>): void {
    this.#concurrent ??= new Set()
    this.#concurrent.add(ticket)
  }

  add(run: TurnRun<T>): void {
    if (run.joins) {
      this.#concurrent ??= new Set()
      this.#concurrent.add(run)
      if (run.root !== run) run.root.nested += 1
    } else if (run.jumpsQueue) {
      run.entry = this.#queue.unshift(run)
    } else {
      run.entry = this.#queue.push(run)
    }
  }

  /** Removes a hold, or a turn that has settled or no longer waits. */
  remove(user: TurnRun<T> | HoldTicket<T>): void {
    if (user === this.running) {
      this.#finishRoot(user)
    } else if (this.#concurrent?.delete(user) !== true) {
      if (!(user instanceof HoldTicket)) user.entry?.remove()
    } else if (!(user instanceof HoldTicket) && user.root !== user) {
      user.root.nested -= 1
      if (user.root === this.running) this.#finishRoot(user.root)
    }
  }

  /** Calls `fn` when no turn is running, before the next one begins. */
  afterTurn(fn: () => void): void {
    this.#onTurnEnd ??= []
    this.#onTurnEnd.push(fn)
  }

  /** Returns the functions that {@link afterTurn} was given, if no turn is running. */
  takeAfterTurn(): readonly (() => void)[] {
    return this.running === undefined ? this.takeAllAfterTurn() : none
  }

  /** Returns them in any case: the session has ended. */
  takeAllAfterTurn(): readonly (() => void)[] {
    const taken = this.#onTurnEnd ?? none
    this.#onTurnEnd = undefined
    return taken
  }

  /** Makes the first turn of the queue the running one, unless another is. Returns it. */
  takeNext(): TurnRun<T> | undefined {
    if (this.running !== undefined) return undefined
    this.running = this.#queue.shift()
    return this.running
  }

  /** Removes all turns that have not begun. Returns them in their order. */
  takeWaiting(): TurnRun<T>[] {
    const waiting = this.#queue.takeAll()
    for (const user of this.concurrent) {
      if (user instanceof HoldTicket || user.phase !== 'waiting') continue
      this.#concurrent?.delete(user)
      waiting.push(user)
    }
    return waiting
  }

  /**
   * Ends the exclusion when nothing nested is left: a nested run that its outer turn did not await is part of
   * it.
   */
  #finishRoot(turn: TurnRun<T>): void {
    if (turn.record === undefined && turn.nested === 0) this.running = undefined
  }
}
