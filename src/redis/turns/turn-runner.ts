import type { PendingWork } from '../../core/async/pending-work.ts'
import {
  isSessionRegistryError,
  type SessionRegistryError,
} from '../../core/errors/session-registry-error.ts'
import { endedDuringTurnError, interruptedError } from '../../core/errors/turn-errors.ts'
import { realClock } from '../../core/time/clock.ts'
import { SlowTurns } from '../../core/turns/slow-turns.ts'
import { TurnLimits } from '../../core/turns/turn-limits.ts'
import type { Watchdog } from '../../core/turns/watchdog.ts'
import type { Trace } from '../../core/watching/trace.ts'
import { lockLostError } from '../holds/session-lease.ts'
import type { SharedHold, SharedHolds } from '../holds/shared-holds.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import type { CommitOutcome } from '../storage/lease-ref.ts'
import { isChanged, noChanges } from '../storage/session-changes.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { SessionStore } from '../storage/session-store.ts'
import { HoldLease, LockLease, type TurnLease } from './turn-lease.ts'
import type { RedisTurnRun } from './turn-run.ts'

export interface TurnRunnerComponents<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly sharedHolds: SharedHolds<T>
  readonly log: SnapshotLog<T>
  readonly watchdog: Watchdog
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/** The course of a turn from the lock to the save. Whatever happens, the session is released in the end. */
export class TurnRunner<T> {
  readonly #components: TurnRunnerComponents<T>
  readonly limits: TurnLimits<RedisTurnRun<T>>
  readonly #onFreed: (run: RedisTurnRun<T>) => void

  /** `onFreed` is called when the next turn may begin. */
  constructor(components: TurnRunnerComponents<T>, onFreed: (run: RedisTurnRun<T>) => void) {
    this.#components = components
    const { watchdog, log, options } = components
    const slowTurns = new SlowTurns({ clock: realClock, events: log.events }, options.slowTurnMs)
    this.limits = new TurnLimits(watchdog, slowTurns, options, {
      onTimeout: () => {
        log.counters.turnTimeouts += 1
      },
      abortTurn: (run, error) => this.abort(run, error),
    })
    this.#onFreed = onFreed
  }

  /** Begins a turn whose lock was taken under this token. */
  startLocked(run: RedisTurnRun<T>, snapshot: SessionSnapshot, token: string): void {
    const { store, options, log } = this.#components
    const { context } = log.events
    const ref = { id: run.id, incarnation: snapshot.incarnation, kind: 'turn', token } as const
    const leaseEvents = {
      onLost: (error: SessionRegistryError) => this.onLeaseLost(run, error),
      onInterrupted: () => run.abort(interruptedError()),
    }
    this.#start(run, snapshot, new LockLease(store, { leaseMs: options.leaseMs, context }, ref, leaseEvents))
  }

  /** Begins a turn that joins, with this hold. */
  startJoined(run: RedisTurnRun<T>, snapshot: SessionSnapshot, hold: SharedHold<T>): void {
    run.onLeaseLost = (error) => this.onLeaseLost(run, error)
    this.#start(run, snapshot, new HoldLease(this.#components.sharedHolds, hold, run))
  }

  #start(run: RedisTurnRun<T>, snapshot: SessionSnapshot, lease: TurnLease): void {
    run.session = this.#components.log.sessionOf(snapshot)
    run.lease = lease
    try {
      run.session.beginTurn()
    } catch (error) {
      void this.#fail(run, error)
      return
    }
    run.phase = 'running'
    this.limits.begin(run)
    this.#call(run)
  }

  /** Begins a nested turn: it shares the session of the outer one, and is saved with it. */
  beginNested(run: RedisTurnRun<T>, outer: RedisTurnRun<T>): void {
    run.session = outer.session
    run.phase = 'running'
    this.limits.beginNested(run)
    this.#call(run)
  }

  #call(run: RedisTurnRun<T>): void {
    if (run.session === undefined) return
    this.#components.log.counters.turns += 1
    const settled = new Promise<void>((resolve) => {
      run.leaveOuter = resolve
      this.#invoke(run, resolve)
    })
    run.outer?.nest(run, settled)
  }

  #invoke(run: RedisTurnRun<T>, settled: (end: Promise<void>) => void): void {
    const { session } = run
    if (session === undefined) return
    run.invoke(this.#components.owner, session, {
      onFulfilled: (_run, value) => settled(this.#succeed(run, value)),
      onRejected: (_run, error) => settled(this.#fail(run, error)),
    })
  }

  /** Aborts the signal of a turn; after `turnGraceMs` the turn itself is aborted. */
  stop(run: RedisTurnRun<T>, error: SessionRegistryError): void {
    this.limits.stop(run, error)
  }

  /** Settles a turn from outside; nothing of it is saved. */
  abort(run: RedisTurnRun<T>, error: unknown): void {
    if (run.phase !== 'running' && run.phase !== 'aborted') return
    this.#abortTurn(run, error)
    if (run.outer === undefined) void this.#release(run).then(() => this.#onFreed(run))
    // The outer turn no longer waits for it.
    else run.leaveOuter?.()
  }

  /**
   * The lock or the session of a turn is lost: its signal aborts, and its promise settles with it or at its
   * timeout.
   */
  onLeaseLost(run: RedisTurnRun<T>, error: SessionRegistryError): void {
    if (run.phase !== 'running') return
    run.phase = 'aborted'
    run.abortReason = error
    run.abort(error)
    void this.#release(run)
    this.#onFreed(run)
  }

  #abortTurn(run: RedisTurnRun<T>, error: unknown): void {
    run.abortReason = error
    // Nested runs have no other right to the session.
    for (const nested of run.nested) this.#abortTurn(nested, error)
    run.fail(error, 'aborted')
    run.abort(error)
  }

  async #succeed(run: RedisTurnRun<T>, value: unknown): Promise<void> {
    // Nested runs write into the same value, awaited or not.
    await run.nestedSettled()
    if (run.outer !== undefined) run.succeed(value)
    else if (run.phase === 'aborted') run.fail(run.abortReason, 'settled')
    else await this.#save(run, value)
    this.#finish(run)
  }

  async #save(run: RedisTurnRun<T>, value: unknown): Promise<void> {
    const { session, lease } = run
    run.phase = 'settled'
    run.timer?.cancel()
    try {
      if (session === undefined || lease === undefined) throw lockLostError()
      const changes = session.changes()
      const saves = isChanged(changes)
      const commit = () => this.#components.pending.track(lease.commit(changes, session.version))
      const { id, incarnation } = session
      const { channels } = this.#components.log.step
      // Without a change, the lock is released and nothing is saved.
      const trace = saves ? channels.trace('save', id, () => ({ incarnation, attempt: 1 })) : undefined
      const outcome = await (trace === undefined ? commit() : traceSave(trace, commit))
      const isReader = !lease.isExclusive && !saves
      if (outcome === 'done' || isReader) run.succeed(value)
      else run.fail(commitError(outcome), 'settled')
    } catch (error) {
      await this.#releaseAfter(run, error)
      run.fail(error, 'settled')
    }
  }

  async #fail(run: RedisTurnRun<T>, error: unknown): Promise<void> {
    await run.nestedSettled()
    if (run.outer === undefined && run.phase !== 'aborted') {
      run.phase = 'settled'
      run.timer?.cancel()
      await this.#releaseAfter(run, error)
    }
    run.fail(error, 'settled')
    this.#finish(run)
  }

  /** Where Redis is unavailable, a release takes a whole timeout more: the caller is rejected first. */
  async #releaseAfter(run: RedisTurnRun<T>, error: unknown): Promise<void> {
    const released = this.#release(run)
    if (!isSessionRegistryError(error, 'ERR_SESSION_BACKEND_UNAVAILABLE')) await released
  }

  async #release(run: RedisTurnRun<T>): Promise<void> {
    const { lease } = run
    if (lease === undefined) return
    run.lease = undefined
    try {
      await lease.commit(noChanges, '')
    } catch {
      // If Redis does not reply, the lease lapses.
    }
  }

  /** Frees the session from the turn, which must keep nothing of it. */
  #finish(run: RedisTurnRun<T>): void {
    if (run.outer === undefined) {
      run.session?.endTurn()
      this.#onFreed(run)
    }
    run.session = undefined
    run.lease = undefined
    run.onLeaseLost = undefined
    run.leaveOuter = undefined
  }
}

async function traceSave(trace: Trace, commit: () => Promise<CommitOutcome>): Promise<CommitOutcome> {
  try {
    const outcome = await trace.call(commit)
    if (outcome === 'done') trace.succeed()
    else trace.fail(commitError(outcome))
    return outcome
  } catch (error) {
    trace.fail(error)
    throw error
  }
}

/** Returns why a turn was not saved. */
function commitError(outcome: Exclude<CommitOutcome, 'done'>): SessionRegistryError {
  return outcome === 'ended' ? endedDuringTurnError() : lockLostError()
}
