import { AsyncResource } from 'node:async_hooks'
import type { SessionRegistryError } from '../core/errors.ts'
import { busy, closed, endedDuringTurn, interrupted, reentrant } from '../core/refusals.ts'
import { findScope, HookCall, outsideScopes, runInScope } from '../core/turn-scope.ts'
import type { Watchdog } from '../core/watchdog.ts'
import type { Life } from './life.ts'
import { newName } from './names.ts'
import type { Opener } from './opener.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter, type Pause, pause } from './pause.ts'
import { lockLost, SessionLease } from './session-lease.ts'
import type { LeaseKind, SessionStore } from './session-store.ts'
import type { Teller } from './teller.ts'
import { RedisTurnRun, TurnLine } from './turn-run.ts'

export interface TurnParts<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly opener: Opener<T>
  readonly teller: Teller<T>
  readonly watchdog: Watchdog
  readonly options: ResolvedRedisOptions<T>
}

/** Between two tries for a lock that another process has. */
const firstPauseMs = 10
const maxPauseMs = 100

/**
 * Lets sessions be used across `await`: one turn at a time for each. In this process they stand in a line; the first of
 * the line takes the lock in Redis, reads, runs, and saves and releases in one.
 */
export class Turns<T> {
  readonly #parts: TurnParts<T>
  readonly #lines = new Map<string, TurnLine<T>>()
  readonly #joined = new Set<RedisTurnRun<T>>()
  readonly #naps = new Set<Pause>()
  #isClosing = false
  /** Called when a turn has ended. */
  whenSettled: (() => void) | undefined = undefined

  constructor(parts: TurnParts<T>) {
    this.#parts = parts
  }

  /** Turns that run, or wait for their turn. */
  get count(): number {
    let count = this.#joined.size
    for (const line of this.#lines.values()) count += line.queue.length + (line.running === undefined ? 0 : 1)
    return count
  }

  /** Sessions that a turn of this process keeps. */
  get heldCount(): number {
    let count = this.#joined.size
    for (const { running } of this.#lines.values()) if (running !== undefined) count += 1
    return count
  }

  isRunning(id: string): boolean {
    return this.#lines.get(id)?.running !== undefined
  }

  /** The running turn of this id that the caller is a part of. */
  outerTurn(id: string): RedisTurnRun<T> | undefined {
    const work = findScope(this.#parts.owner, id)
    if (work instanceof HookCall) {
      if (work.isOver) return undefined
      throw reentrant()
    }
    if (!(work instanceof RedisTurnRun)) return undefined
    if (work.phase === 'cut') throw work.cutReason
    return work.phase === 'running' ? work : undefined
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: RedisTurnRun<T>, signal: AbortSignal | undefined): void {
    if (signal !== undefined) run.listen(signal, () => this.#callOff(run, signal.reason))
    if (run.outer !== undefined) {
      const { outer } = run
      run.listen(outer.controller.signal, () => run.controller.abort(outer.controller.signal.reason))
      run.session = outer.session
      this.#call(run)
      return
    }
    run.context = new AsyncResource('SessionTurn')
    if (run.whenBusy === 'join') {
      this.#joined.add(run)
      void this.#enterBeside(run)
      return
    }
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

  /** Lives of an id have ended: their turns are told, those that wait open the id anew. */
  cutOff(id: string, incarnations: ReadonlySet<string>): void {
    const { running } = this.#lines.get(id) ?? {}
    for (const run of [running, ...this.#joined]) {
      if (run?.id === id && run.session !== undefined && incarnations.has(run.session.incarnation)) {
        this.#lose(run, endedDuringTurn())
      }
    }
  }

  /** Takes all waiting turns out: the registry is closing. */
  refuseWaiting(error: SessionRegistryError): void {
    this.#isClosing = true
    for (const line of this.#lines.values()) this.#failQueue(line, error)
    for (const run of this.#joined) if (run.phase === 'waiting') run.fail(error, 'over')
    for (const nap of this.#naps) nap.cut()
  }

  /** Cuts every turn short: the deadline of `close` has passed. */
  cutAll(error: SessionRegistryError): void {
    for (const { running } of this.#lines.values()) if (running !== undefined) this.#cut(running, error)
    for (const run of this.#joined) this.#cut(run, error)
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
    const enter = () => this.#enter(line)
    head.context?.runInAsyncScope(enter)
  }

  /** Takes the lock for the one who is first in the line by then. */
  async #enter(line: TurnLine<T>): Promise<void> {
    const token = newName()
    let life: Life | undefined
    try {
      life = await this.#acquire(line, token)
    } catch (error) {
      this.#failQueue(line, error)
    }
    line.isEntering = false
    const run = line.queue.shift()
    if (life === undefined) {
      if (run !== undefined) line.queue.unshift(run)
      this.#next(line)
    } else if (run === undefined) {
      await this.#release({ id: line.id, incarnation: life.incarnation, kind: 'turn', token })
      this.#next(line)
    } else {
      line.running = run
      this.#begin(run, life, 'turn', token)
    }
  }

  /** The life whose lock was taken; `undefined` when nobody in the line wants it any more. */
  async #acquire(line: TurnLine<T>, token: string): Promise<Life | undefined> {
    const { store, opener } = this.#parts
    const { id } = line
    for (let pauseMs = firstPauseMs; ; ) {
      const head = line.queue[0]
      if (head === undefined) return undefined
      const interrupts = head.whenBusy === 'interrupt'
      const takes = { kind: 'turn' as const, token }
      const entered = await store.enter(id, { touches: true, reads: true, takes, interrupts })
      if (entered.state === 'live') {
        if (entered.isTaken) return entered.life
        for (const run of line.queue.filter(({ whenBusy }) => whenBusy === 'reject')) {
          line.take(run)
          run.fail(busy(), 'over')
        }
        await this.#nap(pauseMs)
        pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)
        continue
      }
      const { waits } = entered
      if (waits && head.whenBusy === 'reject' && this.#parts.options.load !== undefined) {
        line.take(head)
        head.fail(busy(), 'over')
        continue
      }
      const brought = await opener.bring(id, { creates: head.create, waits, token })
      if (brought.state === 'absent') {
        line.take(head)
        head.succeed(undefined)
      } else if (brought.state === 'created' && brought.token === token) {
        return brought.life
      }
    }
  }

  /** A turn that joins takes a hold and reads what was last saved, whoever has the lock. */
  async #enterBeside(run: RedisTurnRun<T>): Promise<void> {
    const { store, opener } = this.#parts
    const token = newName()
    try {
      while (run.phase === 'waiting') {
        const takes = { kind: 'hold' as const, token }
        const entered = await store.enter(run.id, { touches: true, reads: true, takes })
        if (entered.state === 'live') {
          const { incarnation } = entered.life
          if (run.phase === 'waiting') this.#begin(run, entered.life, 'hold', token)
          else await this.#release({ id: run.id, incarnation, kind: 'hold', token })
          return
        }
        const { waits } = entered
        const brought = await opener.bring(run.id, { creates: run.create, waits, token: '' })
        if (brought.state === 'absent') run.succeed(undefined)
      }
    } catch (error) {
      if (run.phase === 'waiting') run.fail(error, 'over')
    } finally {
      if (run.phase === 'over') this.#over(run)
    }
  }

  #begin(run: RedisTurnRun<T>, life: Life, kind: LeaseKind, token: string): void {
    const { store, options, watchdog } = this.#parts
    const ref = { id: run.id, incarnation: life.incarnation, kind, token }
    run.session = this.#parts.teller.sessionOf(life)
    run.lease = new SessionLease(store, options.leaseMs, ref, {
      lost: (error) => this.#lose(run, error),
      interrupted: () => run.controller.abort(interrupted()),
    })
    try {
      run.session.beginTurn()
    } catch (error) {
      run.phase = 'running'
      void this.#fail(run, error)
      return
    }
    run.timer = watchdog.watch(() => this.#cut(run, watchdog.tooLong('turn')))
    this.#call(run)
  }

  #call(run: RedisTurnRun<T>): void {
    const { owner, teller } = this.#parts
    const { session } = run
    if (session === undefined) return
    run.phase = 'running'
    teller.counters.turns += 1
    const call = () => run.turn(session, run.controller.signal)
    // A run that only joins excludes nobody: what is nested in it must stand in line like anybody else.
    const scoped = () => (run.joins ? call() : runInScope(owner, run.id, run, call))
    let result: unknown
    try {
      result = run.context === undefined ? scoped() : run.context.runInAsyncScope(scoped)
    } catch (error) {
      result = Promise.reject(error)
    }
    Promise.resolve(result).then(
      (value) => outsideScopes(() => this.#succeed(run, value)),
      (error) => outsideScopes(() => this.#fail(run, error)),
    )
  }

  /** The turn has resolved: what it changed is saved, and then the run is over. */
  async #succeed(run: RedisTurnRun<T>, value: unknown): Promise<void> {
    if (run.outer !== undefined) {
      run.succeed(value)
      return
    }
    if (run.phase === 'cut') {
      run.fail(run.cutReason, 'over')
      this.#over(run)
      return
    }
    const { session, lease } = run
    run.phase = 'over'
    run.timer?.cancel()
    try {
      if (session === undefined || lease === undefined) throw lockLost()
      const changes = session.changes()
      lease.stop()
      const outcome = await this.#parts.store.leave(lease.ref, changes, session.version)
      const changesNothing = changes.text === undefined && changes.timeoutMs === undefined
      if (outcome === 'done' || (lease.ref.kind === 'hold' && changesNothing)) run.succeed(value)
      else run.fail(outcome === 'ended' ? endedDuringTurn() : lockLost(), 'over')
    } catch (error) {
      await this.#letGo(run)
      run.fail(error, 'over')
    }
    this.#over(run)
  }

  async #fail(run: RedisTurnRun<T>, error: unknown): Promise<void> {
    if (run.outer === undefined && run.phase !== 'cut') {
      run.phase = 'over'
      run.timer?.cancel()
      await this.#letGo(run)
    }
    run.fail(error, 'over')
    if (run.outer === undefined) this.#over(run)
  }

  /** Settles a turn from outside; the session is free of it at once. */
  #cut(run: RedisTurnRun<T>, error: SessionRegistryError): void {
    if (run.phase !== 'running' && run.phase !== 'cut') return
    run.cutReason = error
    run.fail(error, 'cut')
    run.controller.abort(error)
    void this.#letGo(run).then(() => this.#free(run))
  }

  /** Tells a turn that its lock or its session is gone; its promise settles as the turn does, or as its time is up. */
  #lose(run: RedisTurnRun<T>, error: SessionRegistryError): void {
    if (run.phase !== 'running') return
    run.phase = 'cut'
    run.cutReason = error
    run.lease?.stop()
    run.controller.abort(error)
    this.#free(run)
  }

  /** Gives the lock back with nothing saved. */
  async #letGo(run: RedisTurnRun<T>): Promise<void> {
    const { lease } = run
    if (lease === undefined) return
    run.lease = undefined
    lease.stop()
    await this.#release(lease.ref)
  }

  /** The lease ends by itself where Redis does not answer. */
  async #release(ref: SessionLease<T>['ref']): Promise<void> {
    try {
      await this.#parts.store.leave(ref, { text: undefined, timeoutMs: undefined }, '')
    } catch {}
  }

  #over(run: RedisTurnRun<T>): void {
    run.session?.endTurn()
    this.#free(run)
  }

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
    if (line === undefined || line.queue.length === 0) this.#parts.opener.abandon(run.id, reason)
  }

  #failQueue(line: TurnLine<T>, error: unknown): void {
    for (const run of line.queue.splice(0)) run.fail(error, 'over')
  }

  async #nap(ms: number): Promise<void> {
    if (this.#isClosing) throw closed()
    const nap = pause(jitter(ms))
    this.#naps.add(nap)
    await nap.over
    this.#naps.delete(nap)
  }
}
