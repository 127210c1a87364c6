import { LinkedQueue } from '../../core/async/linked-queue.ts'
import type { RedisTurnRun } from './turn-run.ts'

/** The turns of one id in this process: those of other processes stand in no line with them. */
export class LocalTurnQueue<T> {
  readonly id: string
  readonly runs = new LinkedQueue<RedisTurnRun<T>>()
  running: RedisTurnRun<T> | undefined = undefined
  /** The try to get the lock that is under way, for the first in the queue. */
  attempt: LockAttempt | undefined = undefined

  constructor(id: string) {
    this.id = id
  }

  /** Whether a turn that excludes others would have to wait. */
  get isBusy(): boolean {
    return this.running !== undefined || this.runs.size > 0
  }

  /** The turns that wait for another one: the first of a line in which none runs is about to begin. */
  get waitingCount(): number {
    return this.running === undefined ? Math.max(this.runs.size - 1, 0) : this.runs.size
  }

  failAll(error: unknown): void {
    for (const run of this.runs.takeAll()) run.fail(error, 'settled')
  }
}

/**
 * One try of this process to get the turn lock of a session, under one token.
 *
 * It serves all who stand in the line while it lasts. It is given up when the last of them has left: those
 * who come later begin a try of their own, and have nothing to do with how this one ends.
 */
export class LockAttempt {
  readonly token: string
  readonly #controller = new AbortController()
  /** Whether it may have a place among the processes that wait for the lock. */
  isQueued = false

  constructor(token: string) {
    this.token = token
  }

  /** Aborts when no one wants the lock any more. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }
}
