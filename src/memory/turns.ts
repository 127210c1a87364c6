import { AsyncResource } from 'node:async_hooks'
import type { SessionRegistryError } from '../core/errors.ts'
import { busy, endedDuringTurn, interrupted } from '../core/refusals.ts'
import { runInScope } from '../core/turn-scope.ts'
import { Watchdog } from '../core/watchdog.ts'
import type { Archiver } from './archiver.ts'
import { type Hold, HoldTicket } from './hold.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Opener, Opens } from './opener.ts'
import { SessionUse } from './session-use.ts'
import type { SessionRecord } from './table/session-record.ts'
import { noSlot } from './table/slot-page.ts'
import { TurnRun } from './turn-run.ts'

/**
 * Lets sessions be used across `await`: one turn at a time for each, holds, and the watchdog that ends both.
 *
 * A session in use has a {@link SessionUse} and is held; when the last user is gone it is released.
 */
export class Turns<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #opener: Opener<T>
  readonly #archiver: Archiver<T>
  readonly #watchdog: Watchdog

  constructor(
    owner: object,
    lifecycle: Lifecycle<T>,
    opener: Opener<T>,
    archiver: Archiver<T>,
    maxTurnMs: number,
  ) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#opener = opener
    this.#archiver = archiver
    this.#watchdog = new Watchdog(lifecycle, maxTurnMs)
  }

  /** Takes up a call of `run`; what is wrong from here on rejects its promise. */
  start(run: TurnRun<T>, signal: AbortSignal | undefined): void {
    const { id, outer } = run
    if (signal !== undefined) run.listen(signal, () => this.#callOff(run, signal.reason))
    if (outer !== undefined) {
      const outerSignal = outer.controller.signal
      run.listen(outerSignal, () => run.controller.abort(outerSignal.reason))
    }
    const slot = outer?.record?.slot ?? this.#lifecycle.live(id)
    if (slot === noSlot) {
      if (run.whenBusy === 'reject' && this.#archiver.has(id)) run.fail(busy(), 'over')
      else this.#opener.open(id, this.#waiterFor(run))
    } else {
      this.#attach(slot, run)
      this.#begin(run)
    }
    // What has to wait goes on later in the async context of its caller.
    if (run.phase === 'waiting') run.context = new AsyncResource('SessionTurn')
  }

  hold(record: SessionRecord<T>): Hold {
    const ticket = new HoldTicket(record, (released) => {
      this.#letGoOf(released)
      this.#lifecycle.announcer.deliver()
    })
    this.#use(record).others.add(ticket)
    ticket.timer = this.#watchdog.watch(() => {
      const error = this.#watchdog.tooLong('hold')
      this.#lifecycle.announcer.report(error, 'a hold was never released', record.id)
      ticket.release()
    })
    this.#lifecycle.announcer.deliver()
    return ticket
  }

  /** A session ended in the middle of its use: its turns are told, those that wait begin again on a new session. */
  cutOff(id: string, use: SessionUse<T>): void {
    const error = endedDuringTurn()
    const waiting = use.takeWaiting()
    for (const user of usersOf(use)) {
      user.record = undefined
      if (user instanceof TurnRun) this.#abort(user, error)
      else user.timer?.cancel()
    }
    for (const run of waiting) {
      run.record = undefined
      run.hadPlace = true
    }
    const waiters = waiting.map((run) => this.#waiterFor(run))
    this.#opener.reopen(id, waiters, waiting[0]?.context)
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

  /** Cuts every turn and hold short: the deadline of `close` has passed. */
  cutAll(error: SessionRegistryError): void {
    for (const record of this.#lifecycle.table.heldRecords()) {
      const { use } = record
      if (use === undefined) continue
      for (const user of usersOf(use)) {
        if (user instanceof TurnRun) this.#cut(user, error)
        else this.#letGoOf(user)
      }
    }
  }

  #waiterFor(run: TurnRun<T>): Opens<T> {
    run.waiter ??= {
      create: run.create,
      attach: (slot) => this.#attach(slot, run),
      begin: () => this.#begin(run),
      absent: () => {
        if (run.phase === 'waiting') run.succeed(undefined)
      },
      fail: (error) => {
        if (run.phase === 'waiting') run.fail(error, 'over')
      },
    }
    return run.waiter
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
    else if (run.isImpatient) running.controller.abort(interrupted())
  }

  /** The next turn of a session, or its release when nobody is left. */
  #next(record: SessionRecord<T>): void {
    const { use } = record
    const run = use?.takeNext()
    if (run !== undefined) {
      this.#call(record, run)
    } else if (use?.isFree === true) {
      record.use = undefined
      this.#lifecycle.release(record.slot)
      this.#lifecycle.announcer.deliver()
    }
  }

  #call(record: SessionRecord<T>, run: TurnRun<T>): void {
    run.phase = 'running'
    this.#lifecycle.counters.turns += 1
    run.timer = this.#watchdog.watch(() => {
      this.#cut(run, this.#watchdog.tooLong('turn'))
      this.#lifecycle.announcer.deliver()
    })
    const session = this.#lifecycle.viewOf(record)
    const call = () => run.turn(session, run.controller.signal)
    const scoped = () => runInScope(this.#owner, run.id, run, call)
    let result: unknown
    try {
      result = run.context === undefined ? scoped() : run.context.runInAsyncScope(scoped)
    } catch (error) {
      result = Promise.reject(error)
    }
    Promise.resolve(result).then(
      (value) => {
        run.succeed(value)
        this.#settled(run)
      },
      (error) => {
        run.fail(error, 'over')
        this.#settled(run)
      },
    )
  }

  #settled(run: TurnRun<T>): void {
    this.#letGoOf(run)
    this.#lifecycle.announcer.deliver()
  }

  /** Settles a turn from outside; the session is free of it at once. */
  #cut(run: TurnRun<T>, error: SessionRegistryError): void {
    if (run.phase === 'over') return
    const others = [...(run.record?.use?.others ?? [])]
    run.cutReason = error
    run.fail(error, 'cut')
    // What is nested in it has no better right to the session.
    for (const user of others) if (user instanceof TurnRun && user.isPartOf(run)) this.#cut(user, error)
    run.controller.abort(error)
    this.#letGoOf(run)
  }

  /** Tells a turn that its session has ended; its promise settles as the turn does, or as its time is up. */
  #abort(run: TurnRun<T>, error: SessionRegistryError): void {
    if (run.phase === 'over') return
    run.phase = 'cut'
    run.cutReason = error
    this.#lifecycle.announcer.defer(() => run.controller.abort(error))
  }

  #letGoOf(user: TurnRun<T> | HoldTicket<T>): void {
    const { record } = user
    if (record === undefined) return
    user.record = undefined
    user.timer?.cancel()
    record.use?.remove(user)
    this.#next(record)
  }

  /** The caller's own signal has aborted. */
  #callOff(run: TurnRun<T>, reason: unknown): void {
    if (run.phase !== 'waiting') {
      run.controller.abort(reason)
      return
    }
    run.fail(reason, 'over')
    if (run.record !== undefined) this.#letGoOf(run)
    else if (run.waiter !== undefined) this.#opener.leave(run.id, run.waiter)
    this.#lifecycle.announcer.deliver()
  }

  #use(record: SessionRecord<T>): SessionUse<T> {
    if (record.use === undefined) {
      record.use = new SessionUse()
      this.#lifecycle.hold(record.slot)
    }
    return record.use
  }
}

/** Those who use a session now, the turn that excludes others first; as they are at the call. */
function usersOf<T>({ running, others }: SessionUse<T>): (TurnRun<T> | HoldTicket<T>)[] {
  return running === undefined ? [...others] : [running, ...others]
}
