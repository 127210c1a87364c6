import { startTimer } from '../core/async/contained-timer.ts'
import { Drain } from '../core/async/drain.ts'
import type { CloseReport } from '../core/close-report.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Capacity } from './capacity.ts'
import type { Disposer } from './disposal/disposer.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './session/session-record.ts'
import type { Storage } from './storing/storage.ts'
import type { Slot } from './table/session-table.ts'
import type { TurnScheduler } from './turns/turn-scheduler.ts'

/** Longest slice of retirements between two yields to the event loop, in milliseconds. */
const sliceMs = 4

/**
 * Number of sessions that are retired in one step of a slice, and between two readings of the clock, where no
 * event is enqueued: a reading costs as much as an end.
 */
const silentEndsPerStep = 8

/** The limits of `close`, in milliseconds. */
export interface ShutdownLimits {
  /** For turns, and then for archives. */
  readonly deadlineMs: number
  /** For turns whose signal aborted at their deadline; the process stays alive for them. */
  readonly turnGraceMs: number
}

/**
 * The phases of `close`: turns are waited for, then archives, each for a limited time; then the report.
 *
 * Sessions that are not in use are retired in slices of a few milliseconds, so that requests which are served
 * meanwhile do not wait for a million of them.
 */
export class Shutdown<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #turns: TurnScheduler<T>
  readonly #archiver: Archiver<T>
  readonly #disposer: Disposer<T> | undefined
  readonly #capacity: Capacity<T>
  readonly #storage: Storage<T> | undefined
  readonly #deadlineMs: number
  readonly #resolve: (report: CloseReport<T>) => void
  /** The sessions that could not be archived. */
  readonly #failed: SessionRecord<T>[] = []
  /** Those of them that have ended, since they were changed elsewhere. */
  readonly #conflicts = new Set<SessionRecord<T>>()
  readonly #endedBefore: number
  readonly #archivedBefore: number
  /** The sessions that are not in use and not yet retired. */
  readonly #unused: Iterator<Slot, undefined>
  #now = 0
  readonly #drain: Drain

  constructor(
    components: {
      readonly lifecycle: Lifecycle<T>
      readonly turns: TurnScheduler<T>
      readonly archiver: Archiver<T>
      readonly disposer: Disposer<T> | undefined
      readonly capacity: Capacity<T>
      readonly storage: Storage<T> | undefined
    },
    limits: ShutdownLimits,
    resolve: (report: CloseReport<T>) => void,
  ) {
    this.#lifecycle = components.lifecycle
    this.#turns = components.turns
    this.#archiver = components.archiver
    this.#disposer = components.disposer
    this.#capacity = components.capacity
    this.#storage = components.storage
    this.#deadlineMs = limits.deadlineMs
    this.#resolve = resolve
    this.#unused = this.#lifecycle.table.drain()
    this.#endedBefore = this.#lifecycle.counters.ended
    this.#archivedBefore = this.#lifecycle.counters.archived
    this.#drain = this.#newDrain(limits)
  }

  start(): void {
    const { step } = this.#lifecycle
    step.follow(() => this.#drain.advance())
    step.run(() => {
      this.#turns.refuseWaiting(closedError())
      this.#archiver.close({
        onGivenUp: (record) => this.#failed.push(record),
        onConflict: (record) => {
          this.#failed.push(record)
          this.#conflicts.add(record)
        },
      })
      this.#storage?.deletions.close()
      this.#disposer?.close()
      // A registry without sessions has nothing else to advance it.
      step.markChanged()
    })
    this.#runSlice()
    this.#drain.start()
  }

  /** Retires a session that is no longer in use. */
  onReleased(slot: Slot): void {
    this.#lifecycle.step.runInBackground(() => this.#retire(slot, this.#readClock()))
  }

  /**
   * Retires sessions that are not in use, for a few milliseconds; the rest after an iteration of the event
   * loop.
   */
  #runSlice(): void {
    const { step, events } = this.#lifecycle
    const startedAt = this.#readClock()
    let now = startedAt
    while (step.runInBackground(() => this.#retireSome(now))) {
      now = this.#readClock()
      if (now - startedAt < sliceMs) continue
      events.context.nextLoopIteration(() => this.#runSlice(), { keepsAlive: true })
      return
    }
  }

  /** Retires one session, or a few while no event is enqueued. Returns whether there may be more. */
  #retireSome(now: number): boolean {
    for (let count = 0; count < silentEndsPerStep; count += 1) {
      const next = this.#unused.next()
      if (next.done === true) return false
      this.#retire(next.value, now)
      if (this.#lifecycle.events.isPending) return true
    }
    return true
  }

  #retire(slot: Slot, now: number): void {
    if (this.#lifecycle.table.isExpired(slot, now)) this.#lifecycle.expire(slot, now)
    else this.#lifecycle.retire(slot, 'closed', now)
  }

  /**
   * Returns the time, or the last one that could be read: a clock that fails must not prevent the end of
   * sessions.
   */
  #readClock(): number {
    try {
      this.#now = this.#lifecycle.clock.now()
    } catch (error) {
      this.#lifecycle.events.reportError(error, 'the clock failed')
    }
    return this.#now
  }

  #newDrain({ deadlineMs, turnGraceMs }: ShutdownLimits): Drain {
    const { table } = this.#lifecycle
    const turns = {
      isDone: () => table.size === 0,
      limits: [
        { ms: deadlineMs, onElapsed: () => this.#turns.stopAll(closedError()) },
        { ms: turnGraceMs, onElapsed: () => this.#turns.abortAll(closedError()) },
      ],
    }
    const archives = {
      isDone: () => this.#isNothingLeaving,
      limits: [{ ms: deadlineMs, onElapsed: () => this.#giveUpStoring() }],
    }
    const failure = 'the deadline of `close` could not be set'
    const options = { keepsAlive: true, catchesUp: true }
    const newTimer = (fn: () => void, ms: number) => startTimer(this.#lifecycle, fn, ms, failure, options)
    return new Drain([turns, archives], newTimer, () => this.#finish())
  }

  get #isNothingLeaving(): boolean {
    if (this.#archiver.count > 0 || this.#capacity.making > 0) return false
    return (this.#disposer?.count ?? 0) + (this.#storage?.deletions.count ?? 0) === 0
  }

  #giveUpStoring(): void {
    this.#archiver.giveUpAll(closedError())
    this.#storage?.deletions.giveUpAll(closedError())
    this.#capacity.giveUpMaking()
    this.#disposer?.giveUpAll(closedError())
  }

  #finish(): void {
    this.#archiver.stop()
    if (this.#storage === undefined) this.#report()
    else void this.#storage.close(this.#deadlineMs).then(() => this.#report())
  }

  #report(): void {
    const { counters, step } = this.#lifecycle
    step.runInBackground(() => {
      for (const record of this.#failed)
        if (!this.#conflicts.has(record)) this.#lifecycle.finish(record, 'closed')
    })
    this.#resolve({
      ended: counters.ended - this.#endedBefore,
      archived: counters.archived - this.#archivedBefore,
      failed: this.#failed.map((record) => this.#lifecycle.viewOf(record)),
    })
  }
}
