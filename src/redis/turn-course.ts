import type { PendingWork } from '../core/async/pending-work.ts'
import { isSessionRegistryError, type SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { endedDuringTurnError, interruptedError } from '../core/errors/turn-errors.ts'
import { TurnLimits } from '../core/turns/turn-limits.ts'
import type { Watchdog } from '../core/turns/watchdog.ts'
import type { Life } from './life.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { lockLost } from './session-lease.ts'
import type { SessionStore } from './session-store.ts'
import type { SharedHold, SharedHolds } from './shared-holds.ts'
import type { Teller } from './teller.ts'
import { HoldPlace, LockPlace, type TurnPlace } from './turn-place.ts'
import type { RedisTurnRun } from './turn-run.ts'

export interface TurnCourseParts<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly sharedHolds: SharedHolds<T>
  readonly teller: Teller<T>
  readonly watchdog: Watchdog
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/** The course of one turn, from the lock to the save: whatever happens, the session is free of it in the end. */
export class TurnCourse<T> {
  readonly #parts: TurnCourseParts<T>
  readonly #limits: TurnLimits<RedisTurnRun<T>>
  readonly #freed: (run: RedisTurnRun<T>) => void

  /** `freed` is called when the next turn may begin. */
  constructor(parts: TurnCourseParts<T>, freed: (run: RedisTurnRun<T>) => void) {
    this.#parts = parts
    this.#limits = new TurnLimits(parts.watchdog, parts.options, {
      onTimeout: () => {
        parts.teller.counters.turnTimeouts += 1
      },
      abortTurn: (run, error) => this.cut(run, error),
    })
    this.#freed = freed
  }

  /** Begins a turn that has the lock under this token. */
  beginLocked(run: RedisTurnRun<T>, life: Life, token: string): void {
    const { store, options, teller } = this.#parts
    const { context } = teller.announcer
    const ref = { id: run.id, incarnation: life.incarnation, kind: 'turn', token } as const
    const events = {
      lost: (error: SessionRegistryError) => this.lose(run, error),
      interrupted: () => run.abort(interruptedError()),
    }
    this.#begin(run, life, new LockPlace(store, { leaseMs: options.leaseMs, context }, ref, events))
  }

  /** Begins a turn that joins, and has a part of this hold. */
  beginBeside(run: RedisTurnRun<T>, life: Life, hold: SharedHold<T>): void {
    run.whenLost = (error) => this.lose(run, error)
    this.#begin(run, life, new HoldPlace(this.#parts.sharedHolds, hold, run))
  }

  #begin(run: RedisTurnRun<T>, life: Life, place: TurnPlace): void {
    run.session = this.#parts.teller.sessionOf(life)
    run.place = place
    try {
      run.session.beginTurn()
    } catch (error) {
      void this.#fail(run, error)
      return
    }
    this.#limits.begin(run)
    this.#call(run)
  }

  /** Begins a turn that is nested in another: it shares the session of that, and is saved with it. */
  beginNested(run: RedisTurnRun<T>, outer: RedisTurnRun<T>): void {
    run.session = outer.session
    this.#limits.beginNested(run)
    this.#call(run)
  }

  #call(run: RedisTurnRun<T>): void {
    if (run.session === undefined) return
    run.phase = 'running'
    this.#parts.teller.counters.turns += 1
    const settled = new Promise<void>((resolve) => {
      run.leaveOuter = resolve
      this.#invoke(run, resolve)
    })
    run.outer?.nest(run, settled)
  }

  #invoke(run: RedisTurnRun<T>, settled: (end: Promise<void>) => void): void {
    const { session } = run
    if (session === undefined) return
    run.invoke(this.#parts.owner, session, {
      onFulfilled: (value) => settled(this.#succeed(run, value)),
      onRejected: (error) => settled(this.#fail(run, error)),
    })
  }

  /** Asks a turn to end: it keeps its place for `turnGraceMs`, and is then cut. */
  stop(run: RedisTurnRun<T>, error: SessionRegistryError): void {
    this.#limits.stop(run, error)
  }

  /** Settles a turn from outside; nothing of it is saved. */
  cut(run: RedisTurnRun<T>, error: unknown): void {
    if (run.phase !== 'running' && run.phase !== 'aborted') return
    this.#cut(run, error)
    if (run.outer === undefined) void this.#letGo(run).then(() => this.#freed(run))
    // The turn around it waits for it no longer.
    else run.leaveOuter?.()
  }

  /** Tells a turn that its lock or its session is gone; its promise settles as the turn does, or as its time is up. */
  lose(run: RedisTurnRun<T>, error: SessionRegistryError): void {
    if (run.phase !== 'running') return
    run.phase = 'aborted'
    run.abortReason = error
    run.abort(error)
    void this.#letGo(run)
    this.#freed(run)
  }

  #cut(run: RedisTurnRun<T>, error: unknown): void {
    run.abortReason = error
    // What is nested in it has no better right to the session.
    for (const nested of run.nested) this.#cut(nested, error)
    run.fail(error, 'aborted')
    run.abort(error)
  }

  async #succeed(run: RedisTurnRun<T>, value: unknown): Promise<void> {
    // What is nested in it writes into the same value, awaited or not.
    await run.nestedSettled()
    if (run.outer !== undefined) run.succeed(value)
    else if (run.phase === 'aborted') run.fail(run.abortReason, 'settled')
    else await this.#save(run, value)
    this.#over(run)
  }

  async #save(run: RedisTurnRun<T>, value: unknown): Promise<void> {
    const { session, place } = run
    run.phase = 'settled'
    run.timer?.cancel()
    try {
      if (session === undefined || place === undefined) throw lockLost()
      const changes = session.changes()
      const outcome = await this.#parts.pending.track(place.leave(changes, session.version))
      const isReader = !place.excludes && changes.text === undefined && changes.timeoutMs === undefined
      if (outcome === 'done' || isReader) run.succeed(value)
      else run.fail(outcome === 'ended' ? endedDuringTurnError() : lockLost(), 'settled')
    } catch (error) {
      await this.#letGoAfter(run, error)
      run.fail(error, 'settled')
    }
  }

  async #fail(run: RedisTurnRun<T>, error: unknown): Promise<void> {
    await run.nestedSettled()
    if (run.outer === undefined && run.phase !== 'aborted') {
      run.phase = 'settled'
      run.timer?.cancel()
      await this.#letGoAfter(run, error)
    }
    run.fail(error, 'settled')
    this.#over(run)
  }

  /** Where Redis is away, giving the lock back takes as long once more: the caller is told first. */
  async #letGoAfter(run: RedisTurnRun<T>, error: unknown): Promise<void> {
    const released = this.#letGo(run)
    if (!isSessionRegistryError(error, 'ERR_SESSION_BACKEND_UNAVAILABLE')) await released
  }

  async #letGo(run: RedisTurnRun<T>): Promise<void> {
    const { place } = run
    if (place === undefined) return
    run.place = undefined
    try {
      await place.leave({ text: undefined, timeoutMs: undefined }, '')
    } catch {
      // It ends by itself where Redis does not answer.
    }
  }

  /** The session is free of the turn, which is to keep nothing of it. */
  #over(run: RedisTurnRun<T>): void {
    if (run.outer === undefined) {
      run.session?.endTurn()
      this.#freed(run)
    }
    run.session = undefined
    run.place = undefined
    run.whenLost = undefined
    run.leaveOuter = undefined
  }
}
