import { abortReason } from '../../core/async/abort-listeners.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import {
  busyError,
  endedDuringTurnError,
  holdTimeoutError,
  interruptedError,
  queueFullError,
} from '../../core/errors/turn-errors.ts'
import { TurnCounts } from '../../core/turns/turn-counts.ts'
import { TurnLimits } from '../../core/turns/turn-limits.ts'
import { Watchdog } from '../../core/turns/watchdog.ts'
import type { Archiver } from '../archiving/archiver.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionLoader } from '../loader.ts'
import type { ResolvedOptions } from '../options.ts'
import { HoldTicket } from '../session/hold.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { SessionUsers } from '../session/session-users.ts'
import { noSlot, type Slot } from '../table/session-table.ts'
import { AwaitingTurns } from './awaiting-turns.ts'
import { Rollback } from './rollback.ts'
import { TurnRun } from './turn-run.ts'

/**
 * Lets sessions be used across `await`: one turn at a time for each, holds, and the limits that end both.
 *
 * A session in use has a {@link SessionUsers} and is held; when the last user is gone it is released.
 */
export class TurnScheduler<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #awaitingTurns: AwaitingTurns<T>
  readonly #watchdog: Watchdog
  readonly #limits: TurnLimits<TurnRun<T>>
  readonly #rollback: Rollback<T> | undefined
  readonly #maxWaiting: number
  readonly counts = new TurnCounts()

  constructor(
    owner: object,
    lifecycle: Lifecycle<T>,
    loader: SessionLoader<T>,
    archiver: Archiver<T>,
    options: ResolvedOptions<T>,
  ) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#maxWaiting = options.maxWaiting
    this.#rollback = options.copyValue === undefined ? undefined : new Rollback(options.copyValue)
    this.#awaitingTurns = new AwaitingTurns(loader, archiver, options.maxWaiting, {
      onOpened: (slot, run) => this.#attach(slot, run),
      onReady: (run) => this.#begin(run),
    })
    this.#watchdog = new Watchdog(lifecycle, options.maxTurnMs)
    this.#limits = new TurnLimits(this.#watchdog, options, {
      onTimeout: () => {
        lifecycle.counters.turnTimeouts += 1
      },
      abortTurn: (run, error) => {
        this.#abortTurn(run, error)
        lifecycle.events.flush()
      },
    })
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: TurnRun<T>, signals: readonly AbortSignal[], waitMs: number): void {
    const { outer } = run
    for (const signal of signals) run.listen(signal, () => this.#abort(run, abortReason(signal)))
    run.listenToOuter()
    if (run.phase !== 'waiting') return
    const slot = outer?.record?.slot ?? this.#lifecycle.liveOrExpire(run.id)
    if (slot === noSlot) {
      this.#awaitingTurns.open(run)
    } else if (this.#isQueueFull(slot, run)) {
      run.fail(queueFullError(this.#maxWaiting), 'settled')
    } else {
      this.#attach(slot, run)
      this.#begin(run)
    }
    if (run.phase === 'waiting') run.timer = this.#watchdog.start(() => this.#abort(run, busyError()), waitMs)
  }

  /** The caller delivers what there is to tell: not in here, as others may have to take hold in the same step. */
  hold(record: SessionRecord<T>, maxMs: number): HoldTicket<T> {
    const ticket = new HoldTicket(record, this.#lifecycle.viewOf(record), {
      startTimer: (limited) => this.#watchdog.start(() => this.#onHoldTimeout(limited, maxMs), maxMs),
      release: (released) => {
        this.#releaseUse(released)
        this.#lifecycle.events.flush()
      },
    })
    this.#usersOf(record).concurrent.add(ticket)
    return ticket
  }

  /** A session ended in the middle of its use: its turns are told, those that wait begin again on a new session. */
  onSessionEnded(id: string, users: SessionUsers<T>): void {
    const error = endedDuringTurnError()
    const waiting = users.takeWaiting()
    for (const user of listUsers(users)) {
      if (user instanceof TurnRun) this.#signalEnd(user, error)
      else user.end()
    }
    for (const run of waiting) {
      run.record = undefined
      run.wasQueued = true
    }
    this.#awaitingTurns.reopen(id, waiting)
  }

  /** Takes all waiting turns out: the registry is closing. */
  refuseWaiting(error: SessionRegistryError): void {
    for (const record of this.#lifecycle.table.heldRecords()) {
      const { users } = record
      if (users === undefined) continue
      for (const run of users.takeWaiting()) {
        run.record = undefined
        run.fail(error, 'settled')
      }
      this.#startNext(record)
    }
  }

  /** Asks every turn to end, and takes every hold away: the deadline of `close` has passed. */
  stopAll(error: SessionRegistryError): void {
    for (const user of this.#allUsers()) {
      if (!(user instanceof TurnRun)) this.#releaseUse(user)
      // What is nested in a turn that still runs stops with that.
      else if (user.root === user || user.root.phase === 'settled') this.#limits.stop(user, error)
    }
  }

  /** Cuts every turn short: their grace is over. */
  abortAll(error: SessionRegistryError): void {
    for (const user of this.#allUsers()) if (user instanceof TurnRun) this.#abortTurn(user, error)
  }

  #isQueueFull(slot: Slot, run: TurnRun<T>): boolean {
    if (run.joins || run.whenBusy === 'reject') return false
    const users = this.#lifecycle.table.recordOf(slot).users
    return users?.hasExclusive === true && users.waiting >= this.#maxWaiting
  }

  /** From here on the run keeps the session from ending. */
  #attach(slot: Slot, run: TurnRun<T>): void {
    if (run.phase !== 'waiting') return
    const record = this.#lifecycle.table.recordOf(slot)
    if (run.whenBusy === 'reject' && run.outer === undefined && record.users?.hasExclusive === true) {
      run.fail(busyError(), 'settled')
      return
    }
    run.record = record
    this.#usersOf(record).add(run)
  }

  /** Starts the run if nothing stands in its way. */
  #begin(run: TurnRun<T>): void {
    const { record } = run
    if (run.phase !== 'waiting' || record === undefined) return
    if (run.joins) {
      this.#call(record, run)
      return
    }
    const running = record.users?.running
    if (running === undefined) this.#startNext(record)
    else if (run.jumpsQueue) running.abort(interruptedError())
  }

  /** The next turn of a session, or its release when nobody is left. */
  #startNext(record: SessionRecord<T>): void {
    const { users } = record
    let run = users?.takeNext()
    while (run !== undefined && !this.#prepare(record, run)) {
      run.record = undefined
      users?.remove(run)
      run = users?.takeNext()
    }
    if (run !== undefined) {
      this.#call(record, run)
    } else if (users?.isUnused === true) {
      record.users = undefined
      this.#lifecycle.release(record.slot)
      this.#lifecycle.events.flush()
    }
  }

  /** Whether the value can be put back if the turn fails; else the run is refused. */
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
    run.invoke(this.#owner, run.session, {
      onFulfilled: (value) => {
        run.succeed(value)
        this.#onSettled(run)
      },
      onRejected: (error) => {
        this.#rollback?.restore(run)
        run.fail(error, 'settled')
        this.#onSettled(run)
      },
    })
  }

  #onSettled(run: TurnRun<T>): void {
    run.session = undefined
    this.#releaseUse(run)
    this.#lifecycle.events.flush()
  }

  /** Settles a turn from outside; the session is free of it at once. */
  #abortTurn(run: TurnRun<T>, error: unknown): void {
    if (run.phase === 'settled') return
    run.abortReason = error
    // What is nested in it has no better right to the session.
    for (const user of [...(run.record?.users?.concurrent ?? [])]) {
      if (user instanceof TurnRun && user.isPartOf(run)) this.#abortTurn(user, error)
    }
    this.#rollback?.restore(run)
    run.fail(error, 'aborted')
    run.abort(error)
    this.#releaseUse(run)
  }

  /** Tells a turn that its session has ended; its promise settles as the turn does, or as its time is up. */
  #signalEnd(run: TurnRun<T>, error: SessionRegistryError): void {
    run.record = undefined
    run.snapshot = undefined
    if (run.phase === 'settled') return
    run.phase = 'aborted'
    run.abortReason = error
    this.#lifecycle.events.defer(() => run.abort(error))
  }

  #onHoldTimeout(ticket: HoldTicket<T>, maxMs: number): void {
    const { record } = ticket
    if (record === undefined) return
    this.#lifecycle.events.reportError(holdTimeoutError(maxMs), 'a hold was never released', record.id)
    ticket.release()
  }

  #releaseUse(user: TurnRun<T> | HoldTicket<T>): void {
    const { record } = user
    if (record === undefined) return
    if (user instanceof TurnRun) {
      user.record = undefined
      record.users?.remove(user)
      this.#rollback?.onLeft(user, record)
    } else {
      user.end()
      record.users?.remove(user)
    }
    this.#startNext(record)
  }

  /** The caller's own signal has aborted, or it has waited for long enough. */
  #abort(run: TurnRun<T>, reason: unknown): void {
    if (run.phase !== 'waiting') {
      run.abort(reason)
      return
    }
    run.fail(reason, 'settled')
    if (run.record === undefined) this.#awaitingTurns.cancel(run)
    else this.#releaseUse(run)
    this.#lifecycle.events.flush()
  }

  #usersOf(record: SessionRecord<T>): SessionUsers<T> {
    if (record.users === undefined) {
      record.users = new SessionUsers()
      this.#lifecycle.hold(record.slot)
    }
    return record.users
  }

  /** All who use a session now. */
  #allUsers(): (TurnRun<T> | HoldTicket<T>)[] {
    return this.#lifecycle.table
      .heldRecords()
      .flatMap(({ users }) => (users === undefined ? [] : listUsers(users)))
  }
}

/** Those who use a session now, the turn that excludes others first; as they are at the call. */
function listUsers<T>({ running, concurrent }: SessionUsers<T>): (TurnRun<T> | HoldTicket<T>)[] {
  return running === undefined ? [...concurrent] : [running, ...concurrent]
}
