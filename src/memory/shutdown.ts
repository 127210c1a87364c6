import type { CloseReport } from '../core/close-report.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import type { Timer } from '../core/time/clock.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './session/session-record.ts'
import type { Slot } from './table/session-table.ts'
import type { TurnScheduler } from './turns/turn-scheduler.ts'

/** The longest that the ends of many sessions keep the event loop before it goes round. */
const sliceMs = 4

/** How many sessions end between two readings of the clock where no listener is told: a reading costs as much as an end. */
const silentEndsPerClockRead = 8

/**
 * The end of a registry: turns are waited for, then every session is archived and ended; each for a limited time.
 *
 * Sessions that are not in use end in slices of a few milliseconds: the requests that are answered meanwhile must not wait for
 * a million of them.
 */
export class Shutdown<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #turns: TurnScheduler<T>
  readonly #archiver: Archiver<T>
  readonly #deadlineMs: number
  readonly #turnGraceMs: number
  readonly #resolve: (report: CloseReport<T>) => void
  readonly #failed: SessionRecord<T>[] = []
  readonly #endedBefore: number
  readonly #archivedBefore: number
  /** The sessions that are not in use. */
  readonly #unused: Iterator<Slot, undefined>
  #now = 0
  #timer: Timer | undefined
  #phase: 'turns' | 'archives' | 'done' = 'turns'

  constructor(
    components: {
      readonly lifecycle: Lifecycle<T>
      readonly turns: TurnScheduler<T>
      readonly archiver: Archiver<T>
    },
    limits: { readonly deadlineMs: number; readonly turnGraceMs: number },
    resolve: (report: CloseReport<T>) => void,
  ) {
    this.#lifecycle = components.lifecycle
    this.#turns = components.turns
    this.#archiver = components.archiver
    this.#deadlineMs = limits.deadlineMs
    this.#turnGraceMs = limits.turnGraceMs
    this.#resolve = resolve
    this.#unused = this.#lifecycle.table.drain()
    this.#endedBefore = this.#lifecycle.counters.ended
    this.#archivedBefore = this.#lifecycle.counters.archived
  }

  get isDone(): boolean {
    return this.#phase === 'done'
  }

  start(): void {
    this.#turns.refuseWaiting(closedError())
    this.#archiver.close((record) => this.#failed.push(record))
    this.#runSlice()
    if (this.#lifecycle.table.heldCount > 0) this.#wait(this.#deadlineMs, () => this.#stopTurns())
    this.advance()
  }

  /** Lets a session go that was in use until now. */
  onReleased(slot: Slot): void {
    this.#lifecycle.events.inBackground(() => this.#retire(slot, this.#readClock()))
    this.advance()
  }

  /** Retires sessions that are not in use, for a few milliseconds; the rest after the event loop has gone round. */
  #runSlice(): void {
    const { events } = this.#lifecycle
    if (events.inBackground(() => this.#retireUntilSliceEnds())) {
      events.context.nextLoopIteration(() => this.#runSlice(), { keepsAlive: true })
      return
    }
    events.flush()
    this.advance()
  }

  /** Returns whether there are more than this slice had time for. */
  #retireUntilSliceEnds(): boolean {
    const { events } = this.#lifecycle
    const startedAt = this.#readClock()
    let now = startedAt
    let silentEnds = 0
    for (let next = this.#unused.next(); next.done !== true; next = this.#unused.next()) {
      this.#retire(next.value, now)
      silentEnds += 1
      if (!events.isPending && silentEnds < silentEndsPerClockRead) continue
      silentEnds = 0
      events.flush()
      now = this.#readClock()
      if (now - startedAt >= sliceMs) return true
    }
    return false
  }

  #retire(slot: Slot, now: number): void {
    if (this.#lifecycle.table.isExpired(slot, now)) this.#lifecycle.expire(slot, now)
    else this.#lifecycle.retire(slot, 'closed', now)
  }

  /** The time, or the last one that could be had: a clock that fails must not keep sessions from their end. */
  #readClock(): number {
    try {
      this.#now = this.#lifecycle.clock.now()
    } catch (error) {
      this.#lifecycle.events.reportError(error, 'the clock failed')
    }
    return this.#now
  }

  /** Something ended: goes on to the next phase if it was the last of this one. */
  advance(): void {
    if (this.#phase === 'turns' && this.#lifecycle.table.size === 0) {
      this.#phase = 'archives'
      this.#timer?.cancel()
      if (this.#archiver.count > 0)
        this.#wait(this.#deadlineMs, () => this.#archiver.giveUpAll(closedError()))
    }
    if (this.#phase === 'archives' && this.#archiver.count === 0) this.#finish()
  }

  /** The deadline has passed: turns have their grace, in which the process stays alive for them. */
  #stopTurns(): void {
    this.#turns.stopAll(closedError())
    if (this.#phase === 'turns') this.#wait(this.#turnGraceMs, () => this.#turns.abortAll(closedError()))
  }

  #finish(): void {
    this.#phase = 'done'
    this.#archiver.stop()
    this.#timer?.cancel()
    const { counters, events } = this.#lifecycle
    events.inBackground(() => {
      for (const record of this.#failed) this.#lifecycle.finishArchived(record, 'closed')
    })
    events.flush()
    this.#resolve({
      ended: counters.ended - this.#endedBefore,
      archived: counters.archived - this.#archivedBefore,
      failed: this.#failed.map((record) => this.#lifecycle.viewOf(record)),
    })
  }

  #wait(ms: number, onElapsed: () => void): void {
    const onDeadline = () => {
      onElapsed()
      this.#lifecycle.events.flush()
      this.advance()
    }
    const { clock, events } = this.#lifecycle
    try {
      this.#timer = events.context.timer(clock, onDeadline, ms, { keepsAlive: true, catchesUp: true })
    } catch (error) {
      // A host that gives no timer takes the deadline away, not the end.
      events.reportError(error, 'the deadline of `close` could not be set')
    }
  }
}
