import { LinkedQueue } from '../../core/async/linked-queue.ts'
import type { TurnRun } from '../turns/turn-run.ts'
import { HoldTicket } from './hold.ts'

/**
 * Who uses a session at present. It hangs on a record only while somebody does: a session that is never held pays
 * nothing for it.
 */
export class SessionUsers<T> {
  /** The one turn that excludes others, until it and all that is nested in it have settled. */
  running: TurnRun<T> | undefined = undefined
  /** Turns that wait for it, first come first. */
  readonly #queue = new LinkedQueue<TurnRun<T>>()
  /** Turns that run beside it, nested ones, and holds. */
  readonly concurrent = new Set<TurnRun<T> | HoldTicket<T>>()

  get isUnused(): boolean {
    return this.running === undefined && this.#queue.size === 0 && this.concurrent.size === 0
  }

  /** Whether a turn that excludes others would have to wait. */
  get hasExclusive(): boolean {
    return this.running !== undefined || this.#queue.size > 0
  }

  /** The number of turns that wait for another one; the first of a queue that nothing runs before is about to begin. */
  get waiting(): number {
    return this.running === undefined ? Math.max(this.#queue.size - 1, 0) : this.#queue.size
  }

  /** Whether a turn runs, of whatever kind. */
  get hasTurn(): boolean {
    if (this.running !== undefined) return true
    for (const user of this.concurrent)
      if (!(user instanceof HoldTicket) && user.phase === 'running') return true
    return false
  }

  add(run: TurnRun<T>): void {
    if (run.joins) {
      this.concurrent.add(run)
      if (run.root !== run) run.root.nested += 1
    } else if (run.jumpsQueue) {
      run.entry = this.#queue.unshift(run)
    } else {
      run.entry = this.#queue.push(run)
    }
  }

  /** Takes out a turn that has settled or waits no longer, or a hold. */
  remove(user: TurnRun<T> | HoldTicket<T>): void {
    if (user === this.running) {
      this.#finishRoot(user)
    } else if (!this.concurrent.delete(user)) {
      if (!(user instanceof HoldTicket)) user.entry?.remove()
    } else if (!(user instanceof HoldTicket) && user.root !== user) {
      user.root.nested -= 1
      if (user.root === this.running) this.#finishRoot(user.root)
    }
  }

  /** The turn that is to run now, if there is one and nothing stands in its way. */
  takeNext(): TurnRun<T> | undefined {
    if (this.running !== undefined) return undefined
    this.running = this.#queue.shift()
    return this.running
  }

  /** Takes out all turns that have not begun, in their order. */
  takeWaiting(): TurnRun<T>[] {
    const waiting = this.#queue.takeAll()
    for (const user of this.concurrent) {
      if (user instanceof HoldTicket || user.phase !== 'waiting') continue
      this.concurrent.delete(user)
      waiting.push(user)
    }
    return waiting
  }

  /** Work that a turn began with a nested run and did not wait for is a part of it: the next turn waits for that, too. */
  #finishRoot(turn: TurnRun<T>): void {
    if (turn.record === undefined && turn.nested === 0) this.running = undefined
  }
}
