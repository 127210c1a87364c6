import type { Timer } from '../core/clock.ts'
import type { CloseReport } from '../core/close-report.ts'
import { closed } from '../core/refusals.ts'
import type { Archiver } from './archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './table/session-record.ts'
import type { Turns } from './turns.ts'

/**
 * The end of a registry: turns are waited for, then every session is archived and ended; each for a limited time.
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
    this.#endedBefore = this.#lifecycle.counters.ended
    this.#archivedBefore = this.#lifecycle.counters.archived
  }

  get isDone(): boolean {
    return this.#phase === 'done'
  }

  start(): void {
    this.#turns.refuseWaiting(closed())
    this.#archiver.close((record) => this.#lost.push(record))
    for (const slot of this.#lifecycle.table.snapshot()) this.released(slot)
    if (this.#lifecycle.table.heldCount > 0) this.#wait(this.#deadlineMs, () => this.#stopTurns())
    this.check()
  }

  /** Lets a session go that nobody uses. */
  released(slot: number): void {
    const { table, clock, announcer } = this.#lifecycle
    if (table.isHeld(slot)) return
    announcer.inBackground(() => {
      if (table.isOver(slot, clock.now())) this.#lifecycle.expire(slot)
      else this.#lifecycle.letGo(slot, 'closed')
    })
    this.check()
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
