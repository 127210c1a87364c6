import { abortReason } from '../core/abort-listeners.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import { busy, endedDuringTurn, holdTimedOut, interrupted, queueFull } from '../core/refusals.ts'
import { TurnCounts } from '../core/turn-counts.ts'
import { TurnLimits } from '../core/turn-limits.ts'
import { Watchdog } from '../core/watchdog.ts'
import type { Archiver } from './archiver.ts'
import { HoldTicket } from './hold.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Opener } from './opener.ts'
import type { ResolvedOptions } from './options.ts'
import { Rollback } from './rollback.ts'
import { SessionUse } from './session-use.ts'
import type { SessionRecord } from './table/session-record.ts'
import { noSlot } from './table/slot-page.ts'
import { TurnOpening } from './turn-opening.ts'
import { TurnRun } from './turn-run.ts'

/**
 * Lets sessions be used across `await`: one turn at a time for each, holds, and the limits that end both.
 *
 * A session in use has a {@link SessionUse} and is held; when the last user is gone it is released.
 */
export class Turns<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #opening: TurnOpening<T>
  readonly #watchdog: Watchdog
  readonly #limits: TurnLimits<TurnRun<T>>
  readonly #rollback: Rollback<T> | undefined
  readonly #maxWaiting: number
  readonly counts = new TurnCounts()

  constructor(
    owner: object,
    lifecycle: Lifecycle<T>,
    opener: Opener<T>,
    archiver: Archiver<T>,
    options: ResolvedOptions<T>,
  ) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#maxWaiting = options.maxWaiting
    this.#rollback = options.copyValue === undefined ? undefined : new Rollback(options.copyValue)
    this.#opening = new TurnOpening(opener, archiver, options.maxWaiting, {
      attach: (slot, run) => this.#attach(slot, run),
      begin: (run) => this.#begin(run),
    })
    this.#watchdog = new Watchdog(lifecycle, options.maxTurnMs)
    this.#limits = new TurnLimits(this.#watchdog, options, {
      timedOut: () => {
        lifecycle.counters.turnTimeouts += 1
      },
      cut: (run, error) => {
        this.#cut(run, error)
        lifecycle.announcer.deliver()
      },
    })
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: TurnRun<T>, signals: readonly AbortSignal[], waitMs: number): void {
    const { outer } = run
    for (const signal of signals) run.listen(signal, () => this.#callOff(run, abortReason(signal)))
    run.listenToOuter()
    if (run.phase !== 'waiting') return
    const slot = outer?.record?.slot ?? this.#lifecycle.live(run.id)
    if (slot === noSlot) {
      this.#opening.open(run)
    } else if (this.#isTooMany(slot, run)) {
      run.fail(queueFull(this.#maxWaiting), 'over')
    } else {
      this.#attach(slot, run)
      this.#begin(run)
    }
    if (run.phase === 'waiting') run.timer = this.#watchdog.watch(() => this.#callOff(run, busy()), waitMs)
  }

  /** The caller delivers what there is to tell: not in here, as others may have to take hold in the same step. */
  hold(record: SessionRecord<T>, maxMs: number): HoldTicket<T> {
    const ticket = new HoldTicket(record, this.#lifecycle.viewOf(record), {
      bound: (bounded) => this.#watchdog.watch(() => this.#holdTimedOut(bounded, maxMs), maxMs),
      release: (released) => {
        this.#letGoOf(released)
        this.#lifecycle.announcer.deliver()
      },
    })
    this.#use(record).others.add(ticket)
    return ticket
  }

  /** A session ended in the middle of its use: its turns are told, those that wait begin again on a new session. */
  cutOff(id: string, use: SessionUse<T>): void {
    const error = endedDuringTurn()
    const waiting = use.takeWaiting()
    for (const user of usersOf(use)) {
      if (user instanceof TurnRun) this.#sessionEnded(user, error)
      else user.end()
    }
    for (const run of waiting) {
      run.record = undefined
      run.hadPlace = true
    }
    this.#opening.reopen(id, waiting)
  }

  /** Takes all waiting turns out: the registry is closing. */
  refuseWaiting(error: SessionRegistryError): void {
    for (const record of this.#lifecycle.table.heldRecords()) {
      const { use } = record
      if (use === undefined) continue
      for (const run of use.takeWaiting()) {
        run.record = undefined
        run.fail(error, 'over')
      }
      this.#next(record)
    }
  }

  /** Asks every turn to end, and takes every hold away: the deadline of `close` has passed. */
  stopAll(error: SessionRegistryError): void {
    for (const user of this.#users()) {
      if (!(user instanceof TurnRun)) this.#letGoOf(user)
      // What is nested in a turn that still runs stops with that.
      else if (user.root === user || user.root.phase === 'over') this.#limits.stop(user, error)
    }
  }

  /** Cuts every turn short: their grace is over. */
  cutAll(error: SessionRegistryError): void {
    for (const user of this.#users()) if (user instanceof TurnRun) this.#cut(user, error)
  }

  #isTooMany(slot: number, run: TurnRun<T>): boolean {
    if (run.joins || run.whenBusy === 'reject') return false
    const use = this.#lifecycle.table.recordOf(slot).use
    return use?.isBusy === true && use.waiting >= this.#maxWaiting
  }

  /** From here on the run keeps the session from ending. */
  #attach(slot: number, run: TurnRun<T>): void {
    if (run.phase !== 'waiting') return
    const record = this.#lifecycle.table.recordOf(slot)
    if (run.whenBusy === 'reject' && run.outer === undefined && record.use?.isBusy === true) {
      run.fail(busy(), 'over')
      return
    }
    run.record = record
    this.#use(record).add(run)
  }

  /** Starts the run if nothing stands in its way. */
  #begin(run: TurnRun<T>): void {
    const { record } = run
    if (run.phase !== 'waiting' || record === undefined) return
    if (run.joins) {
      this.#call(record, run)
      return
    }
    const running = record.use?.running
    if (running === undefined) this.#next(record)
    else if (run.isImpatient) running.abort(interrupted())
  }

  /** The next turn of a session, or its release when nobody is left. */
  #next(record: SessionRecord<T>): void {
    const { use } = record
    let run = use?.takeNext()
    while (run !== undefined && !this.#isReady(record, run)) {
      run.record = undefined
      use?.remove(run)
      run = use?.takeNext()
    }
    if (run !== undefined) {
      this.#call(record, run)
    } else if (use?.isFree === true) {
      record.use = undefined
      this.#lifecycle.release(record.slot)
      this.#lifecycle.announcer.deliver()
    }
  }

  /** Whether the value can be put back if the turn fails; else the run is refused. */
  #isReady(record: SessionRecord<T>, run: TurnRun<T>): boolean {
    try {
      this.#rollback?.prepare(run, record)
      return true
    } catch (error) {
      run.fail(error, 'over')
      return false
    }
  }

  #call(record: SessionRecord<T>, run: TurnRun<T>): void {
    run.phase = 'running'
    run.session = this.#lifecycle.viewOf(record)
    this.#lifecycle.counters.turns += 1
    this.#limits.begin(run)
    run.invoke(this.#owner, run.session, {
      resolved: (value) => {
        run.succeed(value)
        this.#settled(run)
      },
      rejected: (error) => {
        this.#rollback?.undo(run)
        run.fail(error, 'over')
        this.#settled(run)
      },
    })
  }

  #settled(run: TurnRun<T>): void {
    run.session = undefined
    this.#letGoOf(run)
    this.#lifecycle.announcer.deliver()
  }

  /** Settles a turn from outside; the session is free of it at once. */
  #cut(run: TurnRun<T>, error: SessionRegistryError): void {
    if (run.phase === 'over') return
    run.cutReason = error
    // What is nested in it has no better right to the session.
    for (const user of [...(run.record?.use?.others ?? [])]) {
      if (user instanceof TurnRun && user.isPartOf(run)) this.#cut(user, error)
    }
    this.#rollback?.undo(run)
    run.fail(error, 'cut')
    run.abort(error)
    this.#letGoOf(run)
  }

  /** Tells a turn that its session has ended; its promise settles as the turn does, or as its time is up. */
  #sessionEnded(run: TurnRun<T>, error: SessionRegistryError): void {
    run.record = undefined
    run.before = undefined
    if (run.phase === 'over') return
    run.phase = 'cut'
    run.cutReason = error
    this.#lifecycle.announcer.defer(() => run.abort(error))
  }

  #holdTimedOut(ticket: HoldTicket<T>, maxMs: number): void {
    const { record } = ticket
    if (record === undefined) return
    this.#lifecycle.announcer.report(holdTimedOut(maxMs), 'a hold was never released', record.id)
    ticket.release()
  }

  #letGoOf(user: TurnRun<T> | HoldTicket<T>): void {
    const { record } = user
    if (record === undefined) return
    if (user instanceof TurnRun) {
      user.record = undefined
      record.use?.remove(user)
      this.#rollback?.left(user, record)
    } else {
      user.end()
      record.use?.remove(user)
    }
    this.#next(record)
  }

  /** The caller's own signal has aborted, or it has waited for long enough. */
  #callOff(run: TurnRun<T>, reason: unknown): void {
    if (run.phase !== 'waiting') {
      run.abort(reason)
      return
    }
    run.fail(reason, 'over')
    if (run.record === undefined) this.#opening.leave(run)
    else this.#letGoOf(run)
    this.#lifecycle.announcer.deliver()
  }

  #use(record: SessionRecord<T>): SessionUse<T> {
    if (record.use === undefined) {
      record.use = new SessionUse()
      this.#lifecycle.hold(record.slot)
    }
    return record.use
  }

  /** All who use a session now. */
  #users(): (TurnRun<T> | HoldTicket<T>)[] {
    return this.#lifecycle.table.heldRecords().flatMap(({ use }) => (use === undefined ? [] : usersOf(use)))
  }
}

/** Those who use a session now, the turn that excludes others first; as they are at the call. */
function usersOf<T>({ running, others }: SessionUse<T>): (TurnRun<T> | HoldTicket<T>)[] {
  return running === undefined ? [...others] : [running, ...others]
}
