import { LinkedQueue } from '../core/async/linked-queue.ts'
import type { RedisTurnRun } from './turn-run.ts'

/** The turns of one id in this process: those of other processes stand in no line with them. */
export class TurnLine<T> {
  readonly id: string
  readonly queue = new LinkedQueue<RedisTurnRun<T>>()
  running: RedisTurnRun<T> | undefined = undefined
  /** The try to get the lock that is under way, for the first in the queue. */
  entrance: Entrance | undefined = undefined

  constructor(id: string) {
    this.id = id
  }

  /** Whether a turn that excludes others would have to wait. */
  get isBusy(): boolean {
    return this.running !== undefined || this.queue.size > 0
  }

  /** The turns that wait for another one: the first of a line in which none runs is about to begin. */
  get waiting(): number {
    return this.running === undefined ? Math.max(this.queue.size - 1, 0) : this.queue.size
  }

  failAll(error: unknown): void {
    for (const run of this.queue.takeAll()) run.fail(error, 'settled')
  }
}

/**
 * One try of this process to get the turn lock of a session, under one token.
 *
 * It serves all who stand in the line while it lasts. It is given up when the last of them has left: those who come later
 * begin a try of their own, and have nothing to do with how this one ends.
 */
export class Entrance {
  readonly token: string
  readonly #left = new AbortController()
  /** Whether it may have a place among the processes that wait for the lock. */
  isInLine = false

  constructor(token: string) {
    this.token = token
  }

  /** Aborts when no one wants the lock any more. */
  get left(): AbortSignal {
    return this.#left.signal
  }

  giveUp(reason: unknown): void {
    this.#left.abort(reason)
  }
}
