import { abortReason } from '../../core/async/abort-listeners.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import {
  busyError,
  endedDuringTurnError,
  interruptedError,
  queueFullError,
} from '../../core/errors/turn-errors.ts'
import { outerTurn, runningTurn } from '../../core/turns/outer-turn.ts'
import { TurnCounts } from '../../core/turns/turn-counts.ts'
import type { Watchdog } from '../../core/turns/watchdog.ts'
import type { SharedHolds } from '../holds/shared-holds.ts'
import type { SessionLoader } from '../loading/loader.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { RedisSession } from '../redis-session.ts'
import type { SessionLog } from '../session-log.ts'
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
  readonly log: SessionLog<T>
  readonly watchdog: Watchdog
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/**
 * Lets sessions be used across `await`, one turn at a time for each. In this process they stand in a line;
 * for the first of it the lock is taken in Redis, which it has until it has saved.
 */
export class TurnScheduler<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #lockAcquirer: LockAcquirer<T>
  readonly #runner: TurnRunner<T>
  readonly #queues = new Map<string, LocalTurnQueue<T>>()
  readonly #joining = new Set<RedisTurnRun<T>>()
  readonly #watchdog: Watchdog
  readonly #maxWaiting: number
  /** Those that wait and run, for the statistics. */
  readonly counts = new TurnCounts()
  /** Called when a turn has ended. */
  onSettled: (() => void) | undefined = undefined

  constructor(components: TurnSchedulerComponents<T>) {
    const { owner, store, loader, sharedHolds, watchdog, options } = components
    this.#owner = owner
    this.#store = store
    this.#watchdog = watchdog
    this.#maxWaiting = options.maxWaiting
    this.#lockAcquirer = new LockAcquirer(store, loader, sharedHolds, options)
    this.#runner = new TurnRunner(components, (run) => this.#onFreed(run))
  }

  /** Turns that wait, run or are being saved. */
  get count(): number {
    let count = this.#joining.size
    for (const { runs, running } of this.#queues.values())
      count += runs.size + (running === undefined ? 0 : 1)
    return count
  }

  /** The sessions that a turn of this process keeps, one that joins included. */
  get heldIds(): string[] {
    return this.#running()
      .filter(({ phase }) => phase !== 'waiting')
      .map(({ id }) => id)
  }

  /** Whether a turn of this process runs on the session, or waits for it. */
  isBusy(id: string): boolean {
    return this.#queues.get(id)?.isBusy === true
  }

  /** Whether a turn of this process runs on the session. */
  isRunning(id: string): boolean {
    return this.#queues.get(id)?.running !== undefined
  }

  /**
   * The running turn of this id that the caller is a part of.
   *
   * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; why the turn was cut, if it was
   */
  outerTurn(id: string): RedisTurnRun<T> | undefined {
    const outer = outerTurn<RedisTurnRun<T>, T>(this.#owner, id)
    return outer?.isJoining === true ? undefined : outer
  }

  /** What reads see that are made inside a running turn of their id. */
  sessionInTurn(id: string): RedisSession<T> | undefined {
    const running = runningTurn<RedisTurnRun<T>, T>(this.#owner, id)
    return running?.isJoining === true ? undefined : running?.session
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: RedisTurnRun<T>, signals: readonly AbortSignal[] = [], waitMs = Number.POSITIVE_INFINITY): void {
    const { outer } = run
    for (const signal of signals) run.listen(signal, () => this.#onCallerAbort(run, abortReason(signal)))
    run.listenToOuter()
    if (run.phase !== 'waiting') return
    if (outer !== undefined) {
      this.#runner.beginNested(run, outer)
    } else if (run.isJoining) {
      this.#joining.add(run)
      void this.#join(run)
    } else {
      this.#enqueue(run)
    }
    if (run.phase === 'waiting')
      run.timer = this.#watchdog.start(() => this.#onCallerAbort(run, busyError()), waitMs)
  }

  /** Lives of an id have ended: their turns are told, those that wait open the id anew. */
  onSessionEnded(id: string, incarnations: ReadonlySet<string>): void {
    for (const run of this.#running()) {
      const isAffected = run.id === id && incarnations.has(run.session?.incarnation ?? '')
      if (isAffected) this.#runner.onLeaseLost(run, endedDuringTurnError())
    }
  }

  /** Takes all waiting turns out: the registry is closing. */
  rejectWaiting(error: SessionRegistryError): void {
    for (const queue of this.#queues.values()) {
      queue.failAll(error)
      this.#abandonAttempt(queue, error)
    }
    for (const run of this.#joining) if (run.phase === 'waiting') this.#removeWaiting(run, error)
  }

  /**
   * Asks every turn to end: the deadline of `close` has passed. They have `turnGraceMs`, and are then cut.
   */
  stopAll(error: SessionRegistryError): void {
    for (const run of this.#running()) this.#runner.stop(run, error)
  }

  /** Cuts every turn short: their grace is over. */
  abortAll(error: SessionRegistryError): void {
    for (const run of this.#running()) this.#runner.abort(run, error)
  }

  #running(): RedisTurnRun<T>[] {
    const running = [...this.#joining]
    for (const queue of this.#queues.values()) if (queue.running !== undefined) running.push(queue.running)
    return running
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
      queue.running?.abort(interruptedError())
    } else {
      run.entry = queue.runs.push(run)
    }
    this.#startNext(queue)
  }

  /** The next turn of the line may try for the lock; a line without any is dropped. */
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
    if (queue.attempt !== attempt) return
    queue.attempt = undefined
    const run = snapshot === undefined ? undefined : queue.runs.shift()
    if (snapshot === undefined || run === undefined) {
      this.#startNext(queue)
      return
    }
    queue.running = run
    this.#runner.startLocked(run, snapshot, attempt.token)
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

  /** A turn no longer keeps its session: the next one may begin. */
  #onFreed(run: RedisTurnRun<T>): void {
    this.#joining.delete(run)
    const queue = this.#queues.get(run.id)
    if (queue?.running === run) {
      queue.running = undefined
      this.#startNext(queue)
    }
    this.onSettled?.()
  }

  /** The caller's own signal has aborted. */
  #onCallerAbort(run: RedisTurnRun<T>, reason: unknown): void {
    if (run.phase === 'waiting') this.#removeWaiting(run, reason)
    else run.abort(reason)
  }

  /** Takes a waiting turn out; with the last of its line goes the try to get the lock. */
  #removeWaiting(run: RedisTurnRun<T>, reason: unknown): void {
    run.fail(reason, 'settled')
    run.controller.abort(reason)
    this.#joining.delete(run)
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
