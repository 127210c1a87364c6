import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { busyError, interruptedError, notOwnerError, queueFullError } from '../../core/errors/turn-errors.ts'
import type { Step } from '../../core/events/step.ts'
import { isAdmitted } from '../../core/owner.ts'
import { SlowTurns } from '../../core/turns/slow-turns.ts'
import type { TurnOutcome } from '../../core/turns/turn-call.ts'
import { TurnCounts } from '../../core/turns/turn-counts.ts'
import { TurnLimits } from '../../core/turns/turn-limits.ts'
import { Watchdog } from '../../core/turns/watchdog.ts'
import type { Archiver } from '../archiving/archiver.ts'
import type { Disposer } from '../disposal/disposer.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionLoader } from '../loader.ts'
import type { ResolvedOptions } from '../options.ts'
import type { HoldTicket } from '../session/hold.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { usersOf } from '../session/session-users.ts'
import type { Storage } from '../storing/storage.ts'
import { noSlot, type Slot } from '../table/session-table.ts'
import { AwaitingTurns } from './awaiting-turns.ts'
import { EndedTurns } from './ended-turns.ts'
import { Holds } from './holds.ts'
import { Rollback } from './rollback.ts'
import { TurnRun } from './turn-run.ts'
import { TurnSaves } from './turn-saves.ts'

/**
 * The use of sessions across `await`: one turn at a time for each, holds, and the limits that end both.
 *
 * ```
 *   start ─▶ in memory? ─ yes ─▶ attach ─▶ begin ─▶ call ─▶ settled ─▶ release use ─▶ next turn, or release
 *              │ no                ▲                  │                     ▲
 *              ▼                   │                  └─ limit, grace ──▶ aborted
 *         AwaitingTurns ─▶ Loader ─┘
 * ```
 *
 * `turn-run.ts` is one call of `run` on this way; `awaiting-turns.ts` the calls whose session is not in
 * memory; `holds.ts` the other use of a session; `rollback.ts` puts values back. A session in use has a
 * `SessionUsers` and is held. A turn is called between steps ({@link Step.after}), so its own calls of the
 * registry are steps of their own.
 */
export class TurnScheduler<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #awaitingTurns: AwaitingTurns<T>
  readonly holds: Holds<T>
  readonly #limits: TurnLimits<TurnRun<T>>
  readonly #endedTurns: EndedTurns<T>
  readonly #rollback: Rollback<T> | undefined
  readonly #saves: TurnSaves<T>
  readonly #maxWaiting: number
  readonly counts = new TurnCounts()
  readonly #outcome: TurnOutcome<TurnRun<T>> = {
    onFulfilled: (run, value) => this.#saves.finish(run, value),
    onRejected: (run, error) => {
      this.#rollback?.restore(run)
      run.fail(error, 'settled')
      this.#onSettled(run)
    },
  }
  // Continuations; they capture nothing but the scheduler.
  readonly #beginRun = (run: TurnRun<T>) => this.#begin(run)
  readonly #startNextOf = (record: SessionRecord<T>) => this.#startNext(record)
  readonly #limitWait = (run: TurnRun<T>) => {
    this.#limits.beginWait(run, () => this.#onCallerAbort(run, busyError()))
  }

  constructor(
    components: {
      readonly owner: object
      readonly lifecycle: Lifecycle<T>
      readonly loader: SessionLoader<T>
      readonly archiver: Archiver<T>
      readonly disposer: Disposer<T> | undefined
      readonly storage: Storage<T> | undefined
    },
    options: ResolvedOptions<T>,
  ) {
    const { owner, lifecycle, disposer, storage } = components
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#step = lifecycle.step
    this.#maxWaiting = options.maxWaiting
    this.#saves = new TurnSaves(lifecycle, storage, (run) => this.#onSettled(run))
    this.#rollback = options.copyValue === undefined ? undefined : new Rollback(options.copyValue)
    this.#awaitingTurns = new AwaitingTurns(components, options.maxWaiting, {
      onOpened: (slot, run) => this.#attach(slot, run),
      onReady: (run) => this.#begin(run),
    })
    const watchdog = new Watchdog(lifecycle, options.maxTurnMs)
    this.#endedTurns = new EndedTurns(this.#step, watchdog, options.turnGraceMs, disposer)
    this.holds = new Holds(lifecycle, watchdog, (ticket) => this.#releaseUse(ticket))
    this.#limits = new TurnLimits(watchdog, new SlowTurns(lifecycle, options.slowTurnMs), options, {
      onTimeout: () => {
        lifecycle.counters.turnTimeouts += 1
      },
      abortTurn: (run, error) => lifecycle.step.run(() => this.#abortTurn(run, error)),
    })
  }

  /** Starts a call of `run`, in a step. Errors from here on reject its promise. */
  start(run: TurnRun<T>): void {
    const { outer } = run
    run.listenToCaller((reason) => this.#onCallerAbort(run, reason))
    if (run.phase !== 'waiting') return
    const slot = outer?.record?.slot ?? this.#lifecycle.liveOrExpire(run.id)
    if (slot === noSlot) {
      this.#awaitingTurns.open(run)
    } else if (!isAdmitted(run.owner, this.#lifecycle.table.owners.ownerOf(slot))) {
      run.fail(notOwnerError(), 'settled')
    } else if (this.#isQueueFull(slot, run)) {
      run.fail(queueFullError(this.#maxWaiting), 'settled')
    } else {
      this.#attach(slot, run)
      this.#step.after(this.#beginRun, run)
    }
    if (this.#limits.limitsWait(run)) this.#step.after(this.#limitWait, run)
  }

  /** See {@link EndedTurns.byRecord}. */
  endedTurns(): ReadonlyMap<SessionRecord<T>, TurnRun<T>> {
    return this.#endedTurns.byRecord()
  }

  /** Aborts the turns of a session that ended in use. Those that wait begin again on a new session. */
  onSessionEnded(record: SessionRecord<T>): void {
    this.#awaitingTurns.reopen(record.id, this.#endedTurns.add(record))
  }

  /** Rejects all waiting turns: the registry is closing. */
  refuseWaiting(error: SessionRegistryError): void {
    for (const record of this.#lifecycle.table.heldRecords()) {
      for (const run of usersOf(record)?.takeWaiting() ?? []) {
        run.record = undefined
        run.fail(error, 'settled')
      }
      this.#onUserLeft(record)
    }
  }

  /** Aborts the signal of every turn, and ends every hold: the deadline of `close` has passed. */
  stopAll(error: SessionRegistryError): void {
    this.#limits.stopFromNowOn(error)
    for (const user of this.#allUsers()) {
      if (!(user instanceof TurnRun)) this.#takeHold(user, error)
      // A turn that is nested in a running one stops with that.
      else if (user.root === user || user.root.phase === 'settled') this.#limits.stop(user, error)
    }
  }

  #takeHold(ticket: HoldTicket<T>, error: SessionRegistryError): void {
    this.#step.run(() => {
      ticket.abort(error)
      ticket.release()
    })
  }

  /** Settles every turn from outside: their grace has passed. */
  abortAll(error: SessionRegistryError): void {
    this.#step.run(() => {
      for (const user of this.#allUsers()) if (user instanceof TurnRun) this.#abortTurn(user, error)
    })
  }

  #isQueueFull(slot: Slot, run: TurnRun<T>): boolean {
    if (run.joins || run.whenBusy === 'reject') return false
    const users = usersOf(this.#lifecycle.table.recordOf(slot))
    return users?.hasExclusive === true && users.waiting >= this.#maxWaiting
  }

  /** Makes the run a user of the session, which cannot end by time from here on. */
  #attach(slot: Slot, run: TurnRun<T>): void {
    if (run.phase !== 'waiting') return
    const record = this.#lifecycle.table.recordOf(slot)
    if (run.whenBusy === 'reject' && run.outer === undefined && usersOf(record)?.hasExclusive === true) {
      run.fail(busyError(), 'settled')
      return
    }
    run.record = record
    this.#lifecycle.use(record).add(run)
  }

  /** Starts the run if nothing stands in its way. */
  #begin(run: TurnRun<T>): void {
    const { record } = run
    if (run.phase !== 'waiting' || record === undefined) return
    if (run.joins) {
      this.#call(record, run)
      return
    }
    const running = usersOf(record)?.running
    if (running === undefined) this.#startNext(record)
    else if (run.jumpsQueue) running.abort(interruptedError())
  }

  /** Follows up the end of a use: releases the session, or starts its next turn after the step. */
  #onUserLeft(record: SessionRecord<T>): void {
    const users = usersOf(record)
    for (const fn of users?.takeAfterTurn() ?? []) this.#step.after(callBack, fn)
    if (users?.isUnused === false) {
      this.#step.after(this.#startNextOf, record)
    } else if (users !== undefined) {
      this.#lifecycle.release(record)
    }
  }

  /** Calls the next turn of a session, if none is running. Not in a step: it calls user code. */
  #startNext(record: SessionRecord<T>): void {
    const users = usersOf(record)
    let run = users?.takeNext()
    while (run !== undefined && !this.#prepare(record, run)) {
      run.record = undefined
      users?.remove(run)
      run = users?.takeNext()
    }
    if (run !== undefined) this.#call(record, run)
    else if (users?.isUnused === true) this.#step.run(() => this.#onUserLeft(record))
  }

  /** Copies the value for `rollback`. Returns `false`, and rejects the run, if it cannot be copied. */
  #prepare(record: SessionRecord<T>, run: TurnRun<T>): boolean {
    try {
      this.#rollback?.takeSnapshot(run, record)
      return true
    } catch (error) {
      run.fail(error, 'settled')
      return false
    }
  }

  #call(record: SessionRecord<T>, run: TurnRun<T>): void {
    run.phase = 'running'
    run.session = this.#lifecycle.viewOf(record)
    this.#lifecycle.counters.turns += 1
    this.#limits.begin(run)
    run.invoke(this.#owner, run.session, this.#outcome)
  }

  #onSettled(run: TurnRun<T>): void {
    run.session = undefined
    this.#endedTurns.settle(run)
    this.#step.run(() => this.#releaseUse(run))
  }

  /** Settles a turn from outside, in a step. Its session is free of it at once. */
  #abortTurn(run: TurnRun<T>, error: unknown): void {
    if (run.phase === 'settled') return
    this.#endedTurns.onCutOff(run)
    run.abortReason = error
    const users = run.record === undefined ? undefined : usersOf(run.record)
    // Turns that are nested in it lose the session with it.
    for (const user of [...(users?.concurrent ?? [])]) {
      if (user instanceof TurnRun && user.isPartOf(run)) this.#abortTurn(user, error)
    }
    this.#rollback?.restore(run)
    run.fail(error, 'aborted')
    this.#step.events.defer(() => run.abort(error))
    this.#releaseUse(run)
  }

  #releaseUse(user: TurnRun<T> | HoldTicket<T>): void {
    const { record } = user
    if (record === undefined) return
    if (user instanceof TurnRun) {
      user.record = undefined
      usersOf(record)?.remove(user)
      this.#rollback?.onLeft(user, record)
    } else {
      user.end()
      usersOf(record)?.remove(user)
    }
    this.#onUserLeft(record)
  }

  /** Aborts a turn, or rejects one that waits: its caller's signal has aborted, or its `waitMs` passed. */
  #onCallerAbort(run: TurnRun<T>, reason: unknown): void {
    if (run.phase !== 'waiting') {
      run.abort(reason)
      return
    }
    this.#step.run(() => {
      run.fail(reason, 'settled')
      if (run.record === undefined) this.#awaitingTurns.cancel(run)
      else this.#releaseUse(run)
    })
  }

  /** The users of all sessions, as they are now. */
  #allUsers(): (TurnRun<T> | HoldTicket<T>)[] {
    return this.#lifecycle.table.heldRecords().flatMap((record) => usersOf(record)?.list() ?? [])
  }
}

function callBack(fn: () => void): void {
  fn()
}
