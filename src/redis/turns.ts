import { abortReason } from '../core/async/abort-listeners.ts'
import type { PendingWork } from '../core/async/pending-work.ts'
import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import {
  busyError,
  endedDuringTurnError,
  interruptedError,
  queueFullError,
} from '../core/errors/turn-errors.ts'
import { outerTurn, runningTurn } from '../core/turns/outer-turn.ts'
import { TurnCounts } from '../core/turns/turn-counts.ts'
import type { Watchdog } from '../core/turns/watchdog.ts'
import type { Life } from './life.ts'
import type { Opener } from './opener.ts'
import type { ResolvedRedisOptions } from './options.ts'
import type { RedisSession } from './redis-session.ts'
import type { SessionStore } from './session-store.ts'
import type { SharedHolds } from './shared-holds.ts'
import type { Teller } from './teller.ts'
import { TurnCourse } from './turn-course.ts'
import { TurnEntrance } from './turn-entrance.ts'
import { Entrance, TurnLine } from './turn-line.ts'
import type { RedisTurnRun } from './turn-run.ts'

export interface TurnParts<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly opener: Opener<T>
  readonly sharedHolds: SharedHolds<T>
  readonly teller: Teller<T>
  readonly watchdog: Watchdog
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/**
 * Lets sessions be used across `await`, one turn at a time for each. In this process they stand in a line; for the first
 * of it the lock is taken in Redis, which it has until it has saved.
 */
export class Turns<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #entrance: TurnEntrance<T>
  readonly #course: TurnCourse<T>
  readonly #lines = new Map<string, TurnLine<T>>()
  readonly #beside = new Set<RedisTurnRun<T>>()
  readonly #watchdog: Watchdog
  readonly #maxWaiting: number
  /** Those that wait and run, for the statistics. */
  readonly counts = new TurnCounts()
  /** Called when a turn has ended. */
  whenSettled: (() => void) | undefined = undefined

  constructor(parts: TurnParts<T>) {
    const { owner, store, opener, sharedHolds, watchdog, options } = parts
    this.#owner = owner
    this.#store = store
    this.#watchdog = watchdog
    this.#maxWaiting = options.maxWaiting
    this.#entrance = new TurnEntrance(store, opener, sharedHolds, options)
    this.#course = new TurnCourse(parts, (run) => this.#free(run))
  }

  /** Turns that wait, run or are being saved. */
  get count(): number {
    let count = this.#beside.size
    for (const { queue, running } of this.#lines.values())
      count += queue.size + (running === undefined ? 0 : 1)
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
    return this.#lines.get(id)?.isBusy === true
  }

  /** Whether a turn of this process runs on the session. */
  isRunning(id: string): boolean {
    return this.#lines.get(id)?.running !== undefined
  }

  /**
   * The running turn of this id that the caller is a part of.
   *
   * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; why the turn was cut, if it was
   */
  outerTurn(id: string): RedisTurnRun<T> | undefined {
    const outer = outerTurn<RedisTurnRun<T>, T>(this.#owner, id)
    return outer?.isBeside === true ? undefined : outer
  }

  /** What reads see that are made inside a running turn of their id. */
  sessionInTurn(id: string): RedisSession<T> | undefined {
    const running = runningTurn<RedisTurnRun<T>, T>(this.#owner, id)
    return running?.isBeside === true ? undefined : running?.session
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: RedisTurnRun<T>, signals: readonly AbortSignal[] = [], waitMs = Number.POSITIVE_INFINITY): void {
    const { outer } = run
    for (const signal of signals) run.listen(signal, () => this.#callOff(run, abortReason(signal)))
    run.listenToOuter()
    if (run.phase !== 'waiting') return
    if (outer !== undefined) {
      this.#course.beginNested(run, outer)
    } else if (run.isBeside) {
      this.#beside.add(run)
      void this.#join(run)
    } else {
      this.#queue(run)
    }
    if (run.phase === 'waiting')
      run.timer = this.#watchdog.start(() => this.#callOff(run, busyError()), waitMs)
  }

  /** Lives of an id have ended: their turns are told, those that wait open the id anew. */
  cutOff(id: string, incarnations: ReadonlySet<string>): void {
    for (const run of this.#running()) {
      const isOfThem = run.id === id && incarnations.has(run.session?.incarnation ?? '')
      if (isOfThem) this.#course.lose(run, endedDuringTurnError())
    }
  }

  /** Takes all waiting turns out: the registry is closing. */
  refuseWaiting(error: SessionRegistryError): void {
    for (const line of this.#lines.values()) {
      line.failAll(error)
      this.#leaveEntrance(line, error)
    }
    for (const run of this.#beside) if (run.phase === 'waiting') this.#takeOut(run, error)
  }

  /** Asks every turn to end: the deadline of `close` has passed. They have `turnGraceMs`, and are then cut. */
  stopAll(error: SessionRegistryError): void {
    for (const run of this.#running()) this.#course.stop(run, error)
  }

  /** Cuts every turn short: their grace is over. */
  cutAll(error: SessionRegistryError): void {
    for (const run of this.#running()) this.#course.cut(run, error)
  }

  #running(): RedisTurnRun<T>[] {
    const running = [...this.#beside]
    for (const line of this.#lines.values()) if (line.running !== undefined) running.push(line.running)
    return running
  }

  #queue(run: RedisTurnRun<T>): void {
    const line = this.#lines.get(run.id) ?? new TurnLine<T>(run.id)
    if (run.whenBusy === 'reject' && line.isBusy) {
      run.fail(busyError(), 'settled')
      return
    }
    if (line.isBusy && line.waiting >= this.#maxWaiting) {
      run.fail(queueFullError(this.#maxWaiting), 'settled')
      return
    }
    this.#lines.set(run.id, line)
    if (run.whenBusy === 'interrupt') {
      run.entry = line.queue.unshift(run)
      line.running?.abort(interruptedError())
    } else {
      run.entry = line.queue.push(run)
    }
    this.#next(line)
  }

  /** The next turn of the line may try for the lock; a line without any is dropped. */
  #next(line: TurnLine<T>): void {
    if (line.entrance !== undefined || line.running !== undefined) return
    const head = line.queue.first
    if (head === undefined) {
      if (this.#lines.get(line.id) === line) this.#lines.delete(line.id)
      this.whenSettled?.()
      return
    }
    const entrance = new Entrance(this.#store.lockToken(line.id))
    line.entrance = entrance
    head.context?.runInAsyncScope(() => void this.#enter(line, entrance))
  }

  async #enter(line: TurnLine<T>, entrance: Entrance): Promise<void> {
    let life: Life | undefined
    try {
      life = await this.#entrance.lock(line, entrance)
    } catch (error) {
      if (!entrance.left.aborted) line.failAll(error)
    }
    if (line.entrance !== entrance) return
    line.entrance = undefined
    const run = life === undefined ? undefined : line.queue.shift()
    if (life === undefined || run === undefined) {
      this.#next(line)
      return
    }
    line.running = run
    this.#course.beginLocked(run, life, entrance.token)
  }

  async #join(run: RedisTurnRun<T>): Promise<void> {
    try {
      const joined = await this.#entrance.beside(run)
      if (joined !== undefined) this.#course.beginBeside(run, joined.life, joined.hold)
    } catch (error) {
      run.fail(error, 'settled')
    }
    if (run.phase === 'settled') this.#free(run)
  }

  /** A turn no longer keeps its session: the next one may begin. */
  #free(run: RedisTurnRun<T>): void {
    this.#beside.delete(run)
    const line = this.#lines.get(run.id)
    if (line?.running === run) {
      line.running = undefined
      this.#next(line)
    }
    this.whenSettled?.()
  }

  /** The caller's own signal has aborted. */
  #callOff(run: RedisTurnRun<T>, reason: unknown): void {
    if (run.phase === 'waiting') this.#takeOut(run, reason)
    else run.abort(reason)
  }

  /** Takes a waiting turn out; with the last of its line goes the try to get the lock. */
  #takeOut(run: RedisTurnRun<T>, reason: unknown): void {
    run.fail(reason, 'settled')
    run.controller.abort(reason)
    this.#beside.delete(run)
    run.entry?.remove()
    const line = this.#lines.get(run.id)
    if (line !== undefined) this.#leaveEntrance(line, reason)
    this.whenSettled?.()
  }

  #leaveEntrance(line: TurnLine<T>, reason: unknown): void {
    const { entrance, queue } = line
    if (entrance === undefined || queue.size > 0) return
    line.entrance = undefined
    entrance.giveUp(reason)
    this.#next(line)
  }
}
