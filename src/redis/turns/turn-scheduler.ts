import type { PendingWork } from '../../core/async/pending-work.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import {
  busyError,
  endedDuringTurnError,
  interruptedError,
  notOwnerError,
  queueFullError,
} from '../../core/errors/turn-errors.ts'
import { isAdmitted } from '../../core/owner.ts'
import { outerTurn, runningTurn } from '../../core/turns/outer-turn.ts'
import { TurnCounts } from '../../core/turns/turn-counts.ts'
import type { Watchdog } from '../../core/turns/watchdog.ts'
import type { SharedHolds } from '../holds/shared-holds.ts'
import type { SessionLoader } from '../loading/loader.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { RedisSession } from '../redis-session.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { SessionStore } from '../storage/session-store.ts'
import { LocalTurnQueue, LockAttempt } from './local-turn-queue.ts'
import { LockAcquirer } from './lock-acquirer.ts'
import type { RedisTurnRun } from './turn-run.ts'
import { TurnRunner } from './turn-runner.ts'

export interface TurnSchedulerComponents<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly loader: SessionLoader<T>
  readonly sharedHolds: SharedHolds<T>
  readonly log: SnapshotLog<T>
  readonly watchdog: Watchdog
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/**
 * The turns of this process: one at a time for each session.
 *
 * The way of a turn:
 *
 *   run ▶ waiting   in the queue of its id (local-turn-queue.ts); only the first tries for the lock in Redis
 *       ▶ lock      access script: lock and value in one round trip; an absent session is opened first
 *                   (lock-acquirer.ts). Busy elsewhere: it waits in Redis, and tries again after a backoff
 *       ▶ running   the function has a copy of the session (turn-runner.ts) under a lease (turn-lease.ts)
 *       ▶ save      commit script: saves under the token of the lock, and releases it
 *       ▶ settled   the next of the queue may try
 *
 * A run nested in a turn is part of it. One that joins takes a hold instead of the lock, and is not queued.
 */
export class TurnScheduler<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #lockAcquirer: LockAcquirer<T>
  readonly #runner: TurnRunner<T>
  readonly #queues = new Map<string, LocalTurnQueue<T>>()
  readonly #unqueued = new Set<RedisTurnRun<T>>()
  readonly #maxWaiting: number
  /** Waiting and running turns, for `stats()`. */
  readonly counts = new TurnCounts()
  /** Called when a turn has ended. */
  onSettled: (() => void) | undefined = undefined

  constructor(components: TurnSchedulerComponents<T>) {
    const { owner, store, loader, sharedHolds, options } = components
    this.#owner = owner
    this.#store = store
    this.#maxWaiting = options.maxWaiting
    this.#lockAcquirer = new LockAcquirer(store, loader, sharedHolds, options)
    this.#runner = new TurnRunner(components, (run) => this.#onFreed(run))
  }

  /** The number of turns that wait, run or are being saved. */
  get count(): number {
    let count = this.#unqueued.size
    for (const { runs, running } of this.#queues.values())
      count += runs.size + (running === undefined ? 0 : 1)
    return count
  }

  /** The queues of turns that wait or run here, one for each id. */
  get queues(): Iterable<LocalTurnQueue<T>> {
    return this.#queues.values()
  }

  /** The turns that are in no queue: those that join, and those whose owner is checked first. */
  get unqueued(): Iterable<RedisTurnRun<T>> {
    return this.#unqueued
  }

  /** The ids of sessions that a turn of this process holds, joining ones included. */
  get heldIds(): string[] {
    return this.#running()
      .filter(({ phase }) => phase !== 'waiting')
      .map(({ id }) => id)
  }

  /** Whether a turn of this process is running or waiting. */
  isBusy(id: string): boolean {
    return this.#queues.get(id)?.isBusy === true
  }

  /** Whether a turn of this process is running. */
  isRunning(id: string): boolean {
    return this.#queues.get(id)?.running !== undefined
  }

  /**
   * Returns the running turn of this id that the caller is a part of.
   *
   * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; the reason of the abort in an
   *   aborted turn
   */
  outerTurn(id: string): RedisTurnRun<T> | undefined {
    const outer = outerTurn<RedisTurnRun<T>, T>(this.#owner, id)
    return outer?.isJoining === true ? undefined : outer
  }

  /** Returns the session that reads inside a running turn of their id see. */
  sessionInTurn(id: string): RedisSession<T> | undefined {
    const running = runningTurn<RedisTurnRun<T>, T>(this.#owner, id)
    return running?.isJoining === true ? undefined : running?.session
  }

  /** Starts a call of `run`; errors from here on reject its promise. */
  start(run: RedisTurnRun<T>): void {
    const { outer } = run
    run.listenToCaller((reason) => this.#onCallerAbort(run, reason))
    if (run.phase !== 'waiting') return
    if (outer !== undefined) {
      if (isAdmitted(run.owner, outer.session?.owner)) this.#runner.beginNested(run, outer)
      else run.fail(notOwnerError(), 'settled')
    } else if (run.isJoining) {
      this.#unqueued.add(run)
      void this.#join(run)
    } else if (this.#queues.get(run.id)?.mayRefuse(run, this.#maxWaiting) === true) {
      this.#unqueued.add(run)
      void this.#enqueueIfOwner(run)
    } else {
      this.#enqueue(run)
    }
    this.#runner.limits.beginWait(run, () => this.#onCallerAbort(run, busyError()))
  }

  /** Incarnations of an id have ended: their turns are aborted, waiting ones open the id anew. */
  onSessionEnded(id: string, incarnations: ReadonlySet<string>): void {
    for (const run of this.#running()) {
      const isAffected = run.id === id && incarnations.has(run.session?.incarnation ?? '')
      if (isAffected) this.#runner.onLeaseLost(run, endedDuringTurnError())
    }
  }

  /** Rejects all waiting turns: the registry is closing. */
  rejectWaiting(error: SessionRegistryError): void {
    for (const queue of this.#queues.values()) {
      queue.failAll(error)
      this.#abandonAttempt(queue, error)
    }
    for (const run of this.#unqueued) if (run.phase === 'waiting') this.#removeWaiting(run, error)
  }

  /** Aborts the signal of every turn at the deadline of `close`; they have `turnGraceMs` to settle. */
  stopAll(error: SessionRegistryError): void {
    this.#runner.limits.stopFromNowOn(error)
    for (const run of this.#running()) this.#runner.stop(run, error)
  }

  /** Aborts every turn: the grace has passed. */
  abortAll(error: SessionRegistryError): void {
    for (const run of this.#running()) this.#runner.abort(run, error)
  }

  #running(): RedisTurnRun<T>[] {
    const running = [...this.#unqueued]
    for (const queue of this.#queues.values()) if (queue.running !== undefined) running.push(queue.running)
    return running
  }

  /** Queues a turn if Redis says that the session is its owner's, or that there is none. */
  async #enqueueIfOwner(run: RedisTurnRun<T>): Promise<void> {
    try {
      await this.#store.access(run.id, { owner: run.owner })
    } catch (error) {
      run.fail(error, 'settled')
    }
    this.#unqueued.delete(run)
    if (run.phase === 'waiting') this.#enqueue(run)
    else this.onSettled?.()
  }

  #enqueue(run: RedisTurnRun<T>): void {
    const queue = this.#queues.get(run.id) ?? new LocalTurnQueue<T>(run.id)
    if (run.whenBusy === 'reject' && queue.isBusy) {
      run.fail(busyError(), 'settled')
      return
    }
    if (queue.isBusy && queue.waitingCount >= this.#maxWaiting) {
      run.fail(queueFullError(this.#maxWaiting), 'settled')
      return
    }
    this.#queues.set(run.id, queue)
    if (run.whenBusy === 'interrupt') {
      run.entry = queue.runs.unshift(run)
      const { running } = queue
      // It may have begun while the owner was compared, and be another owner's.
      if (running !== undefined && isAdmitted(run.owner, running.session?.owner))
        running.abort(interruptedError())
    } else {
      run.entry = queue.runs.push(run)
    }
    this.#startNext(queue)
  }

  /** Starts an attempt for the first of the queue; an empty queue is dropped. */
  #startNext(queue: LocalTurnQueue<T>): void {
    if (queue.attempt !== undefined || queue.running !== undefined) return
    const head = queue.runs.first
    if (head === undefined) {
      if (this.#queues.get(queue.id) === queue) this.#queues.delete(queue.id)
      this.onSettled?.()
      return
    }
    const attempt = new LockAttempt(this.#store.lockToken(queue.id))
    queue.attempt = attempt
    head.context?.runInAsyncScope(() => void this.#acquireLock(queue, attempt))
  }

  async #acquireLock(queue: LocalTurnQueue<T>, attempt: LockAttempt): Promise<void> {
    let snapshot: SessionSnapshot | undefined
    try {
      snapshot = await this.#lockAcquirer.acquire(queue, attempt)
    } catch (error) {
      if (!attempt.signal.aborted) queue.failAll(error)
    }
    const isCurrent = queue.attempt === attempt
    if (isCurrent) queue.attempt = undefined
    const run = isCurrent && snapshot !== undefined ? queue.takeFirst(snapshot.owner) : undefined
    if (snapshot !== undefined && run !== undefined) {
      queue.running = run
      this.#runner.startLocked(run, snapshot, attempt.token)
      return
    }
    if (snapshot !== undefined) void this.#lockAcquirer.release(snapshot, attempt.token)
    if (isCurrent) this.#startNext(queue)
  }

  async #join(run: RedisTurnRun<T>): Promise<void> {
    try {
      const joined = await this.#lockAcquirer.acquireHold(run)
      if (joined !== undefined) this.#runner.startJoined(run, joined.snapshot, joined.hold)
    } catch (error) {
      run.fail(error, 'settled')
    }
    if (run.phase === 'settled') this.#onFreed(run)
  }

  /** Starts the next turn of a session that was freed. */
  #onFreed(run: RedisTurnRun<T>): void {
    this.#unqueued.delete(run)
    const queue = this.#queues.get(run.id)
    if (queue?.running === run) {
      queue.running = undefined
      this.#startNext(queue)
    }
    this.onSettled?.()
  }

  /** Handles the abort of the caller's own signal. */
  #onCallerAbort(run: RedisTurnRun<T>, reason: unknown): void {
    if (run.phase === 'waiting') this.#removeWaiting(run, reason)
    else run.abort(reason)
  }

  /** Rejects a waiting turn; with the last of its queue, the attempt for the lock is abandoned. */
  #removeWaiting(run: RedisTurnRun<T>, reason: unknown): void {
    run.fail(reason, 'settled')
    run.controller.abort(reason)
    this.#unqueued.delete(run)
    run.entry?.remove()
    const queue = this.#queues.get(run.id)
    if (queue !== undefined) this.#abandonAttempt(queue, reason)
    this.onSettled?.()
  }

  #abandonAttempt(queue: LocalTurnQueue<T>, reason: unknown): void {
    const { attempt, runs } = queue
    if (attempt === undefined || runs.size > 0) return
    queue.attempt = undefined
    attempt.abort(reason)
    this.#startNext(queue)
  }
}
