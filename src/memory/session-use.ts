import { HoldTicket } from './hold.ts'
import type { TurnRun } from './turn-run.ts'

/**
 * Who uses a session at present. It hangs on a record only while somebody does: a session that is never held pays
 * nothing for it.
 */
export class SessionUse<T> {
  /** The one turn that excludes others, until it and all that is nested in it have settled. */
  running: TurnRun<T> | undefined = undefined
  /** Turns that wait for it, first come first. */
  #queue: TurnRun<T>[] = []
  /** Turns that run beside it, nested ones, and holds. */
  readonly others = new Set<TurnRun<T> | HoldTicket<T>>()

  get isFree(): boolean {
    return this.running === undefined && this.#queue.length === 0 && this.others.size === 0
  }

  /** Whether a turn that excludes others would have to wait. */
  get isBusy(): boolean {
    return this.running !== undefined || this.#queue.length > 0
  }

  /** Whether a turn runs, of whatever kind. */
  get hasTurn(): boolean {
    if (this.running !== undefined) return true
    for (const user of this.others) if (!(user instanceof HoldTicket) && user.phase === 'running') return true
    return false
  }

  add(run: TurnRun<T>): void {
    if (run.joins) {
      this.others.add(run)
      if (run.root !== run) run.root.nested += 1
    } else if (run.isImpatient) {
      this.#queue.unshift(run)
    } else {
      this.#queue.push(run)
    }
  }

  /** Takes out a turn that has settled or waits no longer, or a hold. */
  remove(user: TurnRun<T> | HoldTicket<T>): void {
    if (user === this.running) this.#freeOf(user)
    else if (!this.others.delete(user)) this.#queue = this.#queue.filter((run) => run !== user)
    else if (!(user instanceof HoldTicket) && user.root !== user) {
      user.root.nested -= 1
      if (user.root === this.running) this.#freeOf(user.root)
    }
  }

  /** The turn that is to run now, if there is one and nothing stands in its way. */
  takeNext(): TurnRun<T> | undefined {
    if (this.running === undefined) this.running = this.#queue.shift()
    else return undefined
    return this.running
  }

  /** Takes out all turns that have not begun, in their order. */
  takeWaiting(): TurnRun<T>[] {
    const waiting = this.#queue
    this.#queue = []
    for (const user of this.others) {
      if (user instanceof HoldTicket || user.phase !== 'waiting') continue
      this.others.delete(user)
      waiting.push(user)
    }
    return waiting
  }

  /** Work that a turn began with a nested run and did not wait for is a part of it: the next turn waits for that, too. */
  #freeOf(turn: TurnRun<T>): void {
    if (turn.record === undefined && turn.nested === 0) this.running = undefined
  }
}
