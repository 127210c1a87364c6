import { LinkedQueue } from '../../core/async/linked-queue.ts'
import { notOwnerError } from '../../core/errors/turn-errors.ts'
import { isAdmitted } from '../../core/owner.ts'
import { realClock } from '../../core/time/clock.ts'
import type { RedisTurnRun } from './turn-run.ts'

/** The queue of turns of one id in this process. Those of other processes are not in it. */
export class LocalTurnQueue<T> {
  readonly id: string
  readonly runs = new LinkedQueue<RedisTurnRun<T>>()
  running: RedisTurnRun<T> | undefined = undefined
  /** The running attempt to take the lock, for the first in the queue. */
  attempt: LockAttempt | undefined = undefined

  constructor(id: string) {
    this.id = id
  }

  /** Whether an exclusive turn would have to wait. */
  get isBusy(): boolean {
    return this.running !== undefined || this.runs.size > 0
  }

  /**
   * The number of turns that wait for another one; the first of a queue in which none runs is about to begin.
   */
  get waitingCount(): number {
    return this.running === undefined ? Math.max(this.runs.size - 1, 0) : this.runs.size
  }

  /**
   * Whether a turn with an owner may be one that must not learn whether the session is busy, nor interrupt
   * its turn. Others are compared when they are the first.
   */
  mayRefuse({ owner, whenBusy }: RedisTurnRun<T>, maxWaiting: number): boolean {
    if (owner === undefined || !this.isBusy) return false
    const session = this.running?.session
    if (session !== undefined) return session.owner !== owner
    return whenBusy === 'reject' || this.waitingCount >= maxWaiting
  }

  /** Takes the first turn that a session of this owner is for; those before it are rejected. */
  takeFirst(sessionOwner: string | undefined): RedisTurnRun<T> | undefined {
    let first = this.runs.shift()
    for (; first !== undefined && !isAdmitted(first.owner, sessionOwner); first = this.runs.shift())
      first.fail(notOwnerError(), 'settled')
    return first
  }

  /** Rejects the turns that a session of this owner is not for. */
  rejectOtherOwners(sessionOwner: string | undefined): void {
    for (const run of this.runs) {
      if (isAdmitted(run.owner, sessionOwner)) continue
      run.entry?.remove()
      run.fail(notOwnerError(), 'settled')
    }
  }

  /** Rejects the turns of an owner, for whom `load` has failed. */
  rejectOwner(owner: string | undefined, error: unknown): void {
    for (const run of this.runs) {
      if (run.owner !== owner) continue
      run.entry?.remove()
      run.fail(error, 'settled')
    }
  }

  failAll(error: unknown): void {
    for (const run of this.runs.takeAll()) run.fail(error, 'settled')
  }
}

/**
 * An attempt of this process to take the turn lock of a session, under one token.
 *
 * It serves all turns that are queued while it lasts. It is aborted when the last of them has left; later
 * turns begin an attempt of their own, and do not share its outcome.
 */
export class LockAttempt {
  readonly token: string
  /** Monotonic time of its start. */
  readonly begunAt = realClock.now()
  readonly #controller = new AbortController()
  /** Whether it may be among the processes that wait for the lock in Redis. */
  isQueued = false

  constructor(token: string) {
    this.token = token
  }

  /** Aborts when no turn needs the lock any more. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }
}
