import { AsyncResource } from 'node:async_hooks'
import type { SessionRegistryError } from '../core/errors.ts'
import { outerTurn, runningTurn } from '../core/outer-turn.ts'
import { busy, endedDuringTurn, interrupted } from '../core/refusals.ts'
import type { Watchdog } from '../core/watchdog.ts'
import type { Life } from './life.ts'
import { newName } from './names.ts'
import type { Opener } from './opener.ts'
import type { ResolvedRedisOptions } from './options.ts'
import type { RedisSession } from './redis-session.ts'
import type { SessionStore } from './session-store.ts'
import type { Teller } from './teller.ts'
import { TurnCourse } from './turn-course.ts'
import { TurnEntrance } from './turn-entrance.ts'
import { type RedisTurnRun, TurnLine } from './turn-run.ts'

export interface TurnParts<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly opener: Opener<T>
  readonly teller: Teller<T>
  readonly watchdog: Watchdog
  readonly options: ResolvedRedisOptions<T>
}

/**
 * Lets sessions be used across `await`, one turn at a time for each. In this process they stand in a line; for the first
 * of it the lock is taken in Redis, which it has until it has saved.
 */
export class Turns<T> {
  readonly #owner: object
  readonly #opener: Opener<T>
  readonly #entrance: TurnEntrance<T>
  readonly #course: TurnCourse<T>
  readonly #lines = new Map<string, TurnLine<T>>()
  readonly #joined = new Set<RedisTurnRun<T>>()
  /** Called when a turn has ended. */
  whenSettled: (() => void) | undefined = undefined

  constructor({ owner, store, opener, teller, watchdog, options }: TurnParts<T>) {
    this.#owner = owner
    this.#opener = opener
    const entrance = new TurnEntrance(store, opener, options)
    this.#entrance = entrance
    const parts = { owner, store, teller, watchdog, entrance, options }
    this.#course = new TurnCourse(parts, (run) => this.#free(run))
  }

  /** Turns that run, or wait for their turn. */
  get count(): number {
    let count = this.heldCount
    for (const { queue } of this.#lines.values()) count += queue.length
    return count
  }

  /** Sessions that a turn of this process keeps, one that joins included. */
  get heldCount(): number {
    let count = this.#joined.size
    for (const { running } of this.#lines.values()) if (running !== undefined) count += 1
    return count
  }

  isRunning(id: string): boolean {
    return this.#lines.get(id)?.running !== undefined
  }

  /**
   * The running turn of this id that the caller is a part of.
   *
   * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; why the turn was cut, if it was
   */
  outerTurn(id: string): RedisTurnRun<T> | undefined {
    return outerTurn<RedisTurnRun<T>, T>(this.#owner, id)
  }

  /** What reads see that are made inside a running turn of their id. */
  sessionInTurn(id: string): RedisSession<T> | undefined {
    return runningTurn<RedisTurnRun<T>, T>(this.#owner, id)?.session
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: RedisTurnRun<T>, signal: AbortSignal | undefined): void {
    const { outer } = run
    if (signal !== undefined) run.listen(signal, () => this.#callOff(run, signal.reason))
    if (outer !== undefined) {
      const outerSignal = outer.controller.signal
      run.listen(outerSignal, () => run.controller.abort(outerSignal.reason))
      run.session = outer.session
      this.#course.call(run)
      return
    }
    // What has to wait goes on later in the async context of its caller.
    run.context = new AsyncResource('SessionTurn')
    if (run.whenBusy === 'join') {
      this.#joined.add(run)
      void this.#join(run)
    } else {
      this.#queue(run)
    }
  }

  /** Lives of an id have ended: their turns are told, those that wait open the id anew. */
  cutOff(id: string, incarnations: ReadonlySet<string>): void {
    for (const run of [this.#lines.get(id)?.running, ...this.#joined]) {
      const isOfThem = run?.id === id && incarnations.has(run.session?.incarnation ?? '')
      if (isOfThem) this.#course.lose(run, endedDuringTurn())
    }
  }

  /** Takes all waiting turns out: the registry is closing. */
  refuseWaiting(error: SessionRegistryError): void {
    for (const line of this.#lines.values()) line.failAll(error)
    for (const run of this.#joined) if (run.phase === 'waiting') run.fail(error, 'over')
    this.#entrance.hurry()
  }

  /** Cuts every turn short: the deadline of `close` has passed. */
  cutAll(error: SessionRegistryError): void {
    for (const { running } of this.#lines.values())
      if (running !== undefined) this.#course.cut(running, error)
    for (const run of this.#joined) this.#course.cut(run, error)
  }

  #queue(run: RedisTurnRun<T>): void {
    const line = this.#lines.get(run.id) ?? new TurnLine<T>(run.id)
    if (run.whenBusy === 'reject' && line.isBusy) {
      run.fail(busy(), 'over')
      return
    }
    this.#lines.set(run.id, line)
    if (run.whenBusy === 'interrupt') {
      line.queue.unshift(run)
      line.running?.controller.abort(interrupted())
    } else {
      line.queue.push(run)
    }
    this.#next(line)
  }

  #next(line: TurnLine<T>): void {
    if (line.isEntering || line.running !== undefined) return
    const head = line.queue[0]
    if (head === undefined) {
      this.#lines.delete(line.id)
      this.whenSettled?.()
      return
    }
    line.isEntering = true
    head.context?.runInAsyncScope(() => this.#enter(line))
  }

  async #enter(line: TurnLine<T>): Promise<void> {
    const token = newName()
    let life: Life | undefined
    try {
      life = await this.#entrance.lock(line, token)
    } catch (error) {
      line.failAll(error)
    }
    line.isEntering = false
    const run = life === undefined ? undefined : line.queue.shift()
    if (life !== undefined && run !== undefined) {
      line.running = run
      this.#course.begin(run, life, 'turn', token)
      return
    }
    if (life !== undefined) {
      await this.#entrance.release({ id: line.id, incarnation: life.incarnation, kind: 'turn', token })
    }
    this.#next(line)
  }

  async #join(run: RedisTurnRun<T>): Promise<void> {
    const token = newName()
    try {
      const life = await this.#entrance.beside(run, token)
      if (life !== undefined) this.#course.begin(run, life, 'hold', token)
    } catch (error) {
      run.fail(error, 'over')
    }
    if (run.phase === 'over') this.#free(run)
  }

  /** A turn no longer keeps its session: the next one may begin. */
  #free(run: RedisTurnRun<T>): void {
    this.#joined.delete(run)
    const line = this.#lines.get(run.id)
    if (line?.running === run) {
      line.running = undefined
      this.#next(line)
    }
    this.whenSettled?.()
  }

  /** The caller's own signal has aborted. */
  #callOff(run: RedisTurnRun<T>, reason: unknown): void {
    if (run.phase !== 'waiting') {
      run.controller.abort(reason)
      return
    }
    run.fail(reason, 'over')
    this.#joined.delete(run)
    const line = this.#lines.get(run.id)
    line?.take(run)
    if (line === undefined || line.queue.length === 0) this.#opener.abandon(run.id, reason)
  }
}
