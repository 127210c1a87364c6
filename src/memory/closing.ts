import type { Timer } from '../core/clock.ts'
import type { CloseReport } from '../core/close-report.ts'
import { closed } from '../core/refusals.ts'
import type { Archiver } from './archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './table/session-record.ts'
import type { Turns } from './turns.ts'

/** The longest that the ends of many sessions keep the event loop before it goes round. */
const sliceMs = 4

/** How many sessions end between two readings of the clock where no listener is told: a reading costs as much as an end. */
const quietEndsPerLook = 8

/**
 * The end of a registry: turns are waited for, then every session is archived and ended; each for a limited time.
 *
 * Sessions that are not in use end in slices of a few milliseconds: the requests that are answered meanwhile must not wait for
 * a million of them.
 */
export class Closing<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #turns: Turns<T>
  readonly #archiver: Archiver<T>
  readonly #deadlineMs: number
  readonly #turnGraceMs: number
  readonly #resolve: (report: CloseReport<T>) => void
  readonly #lost: SessionRecord<T>[] = []
  readonly #endedBefore: number
  readonly #archivedBefore: number
  /** The sessions that are not in use. */
  readonly #idle: Iterator<number, undefined>
  #now = 0
  #timer: Timer | undefined
  #phase: 'turns' | 'archives' | 'done' = 'turns'

  constructor(
    parts: { readonly lifecycle: Lifecycle<T>; readonly turns: Turns<T>; readonly archiver: Archiver<T> },
    limits: { readonly deadlineMs: number; readonly turnGraceMs: number },
    resolve: (report: CloseReport<T>) => void,
  ) {
    this.#lifecycle = parts.lifecycle
    this.#turns = parts.turns
    this.#archiver = parts.archiver
    this.#deadlineMs = limits.deadlineMs
    this.#turnGraceMs = limits.turnGraceMs
    this.#resolve = resolve
    this.#idle = this.#lifecycle.table.idle()
    this.#endedBefore = this.#lifecycle.counters.ended
    this.#archivedBefore = this.#lifecycle.counters.archived
  }

  get isDone(): boolean {
    return this.#phase === 'done'
  }

  start(): void {
    this.#turns.refuseWaiting(closed())
    this.#archiver.close((record) => this.#lost.push(record))
    this.#slice()
    if (this.#lifecycle.table.heldCount > 0) this.#wait(this.#deadlineMs, () => this.#stopTurns())
    this.check()
  }

  /** Lets a session go that was in use until now. */
  released(slot: number): void {
    this.#lifecycle.announcer.inBackground(() => this.#letGo(slot, this.#look()))
    this.check()
  }

  /** Retires sessions that are not in use, for a few milliseconds; the rest after the event loop has gone round. */
  #slice(): void {
    const { announcer } = this.#lifecycle
    if (announcer.inBackground(() => this.#isSliceCut())) {
      announcer.context.afterLoopTurn(() => this.#slice(), { keepsAlive: true })
      return
    }
    announcer.deliver()
    this.check()
  }

  /** Returns whether there are more than this slice had time for. */
  #isSliceCut(): boolean {
    const { announcer } = this.#lifecycle
    const startedAt = this.#look()
    let now = startedAt
    let quietEnds = 0
    for (let next = this.#idle.next(); next.done !== true; next = this.#idle.next()) {
      this.#letGo(next.value, now)
      quietEnds += 1
      if (!announcer.hasNews && quietEnds < quietEndsPerLook) continue
      quietEnds = 0
      announcer.deliver()
      now = this.#look()
      if (now - startedAt >= sliceMs) return true
    }
    return false
  }

  #letGo(slot: number, now: number): void {
    if (this.#lifecycle.table.isOver(slot, now)) this.#lifecycle.expire(slot, now)
    else this.#lifecycle.letGo(slot, 'closed', now)
  }

  /** The time, or the last one that could be had: a clock that fails must not keep sessions from their end. */
  #look(): number {
    try {
      this.#now = this.#lifecycle.clock.now()
    } catch (error) {
      this.#lifecycle.announcer.report(error, 'the clock failed')
    }
    return this.#now
  }

  /** Something ended: goes on to the next phase if it was the last of this one. */
  check(): void {
    if (this.#phase === 'turns' && this.#lifecycle.table.size === 0) {
      this.#phase = 'archives'
      this.#timer?.cancel()
      if (this.#archiver.count > 0) this.#wait(this.#deadlineMs, () => this.#archiver.loseAll(closed()))
    }
    if (this.#phase === 'archives' && this.#archiver.count === 0) this.#finish()
  }

  /** The deadline has passed: turns have their grace, in which the process stays alive for them. */
  #stopTurns(): void {
    this.#turns.stopAll(closed())
    if (this.#phase === 'turns') this.#wait(this.#turnGraceMs, () => this.#turns.cutAll(closed()))
  }

  #finish(): void {
    this.#phase = 'done'
    this.#archiver.stop()
    this.#timer?.cancel()
    const { counters, announcer } = this.#lifecycle
    announcer.inBackground(() => {
      for (const record of this.#lost) this.#lifecycle.finish(record, 'closed')
    })
    announcer.deliver()
    this.#resolve({
      ended: counters.ended - this.#endedBefore,
      archived: counters.archived - this.#archivedBefore,
      failed: this.#lost.map((record) => this.#lifecycle.viewOf(record)),
    })
  }

  #wait(ms: number, then: () => void): void {
    const onDeadline = () => {
      then()
      this.#lifecycle.announcer.deliver()
      this.check()
    }
    const { clock, announcer } = this.#lifecycle
    try {
      this.#timer = announcer.context.timer(clock, onDeadline, ms, { keepsAlive: true, catchesUp: true })
    } catch (error) {
      // A host that gives no timer takes the deadline away, not the end.
      announcer.report(error, 'the deadline of `close` could not be set')
    }
  }
}
