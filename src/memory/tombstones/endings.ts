import type { EndReason } from '../../core/end-reason.ts'
import type { GoneSession } from '../../core/gone-session.ts'
import type { FullClock } from '../../core/time/clock.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { Sessions } from '../session/sessions.ts'
import { noSlot, type Slot } from '../table/session-table.ts'
import { type TombstoneOptions, Tombstones } from './tombstones.ts'

export interface EndingsOptions extends TombstoneOptions {
  readonly maxAgeMs: number
}

/** Why and when sessions ended: what `whyGone` tells. */
export class Endings<T> {
  readonly #table: Sessions<T>
  readonly #clock: FullClock
  readonly #maxAgeMs: number
  readonly #tombstones: Tombstones
  /** Whether anything is kept. */
  readonly isEnabled: boolean

  constructor(table: Sessions<T>, clock: FullClock, options: EndingsOptions) {
    this.#table = table
    this.#clock = clock
    this.#maxAgeMs = options.maxAgeMs
    this.#tombstones = new Tombstones(options)
    this.isEnabled = options.tombstoneMs > 0
  }

  /** Keeps the end of a session that is about to leave the table. */
  addSlot(slot: Slot, reason: EndReason, now: number): void {
    const table = this.#table
    const lastActive = table.lastActive(slot)
    const times = { lastActive, created: table.created(slot), timeoutMs: table.timeoutMs(slot) }
    const endedAt = this.#endedAt(times, reason, now)
    this.#tombstones.add(table.idOf(slot), table.owners.ownerOf(slot), { reason, endedAt })
  }

  /** Keeps the end of a session that had left the table before, unless its id lives again. */
  addRecord(record: SessionRecord<T>, reason: EndReason): void {
    const { id, owner, leftAt } = record
    const slot = this.#table.find(id)
    if (slot !== noSlot && !this.#table.isExpired(slot, this.#clock.now())) return
    this.#tombstones.add(id, owner, { reason, endedAt: this.#endedAt(record, reason, leftAt) })
  }

  /** Returns the end of a session that is not live; with `owner`, if it belonged to that owner. */
  find(id: string, owner: string | undefined): GoneSession | undefined {
    const slot = this.#table.find(id)
    if (slot === noSlot) return this.#tombstones.find(id, owner, this.#clock.date())
    if (!this.#table.isExpired(slot, this.#clock.now())) return undefined
    if (owner !== undefined && this.#table.owners.ownerOf(slot) !== owner) return undefined
    const reason = this.#table.expiryReason(slot)
    const endedAt = this.#endedAt(this.#table.recordOf(slot), reason, 0)
    return this.#tombstones.isKept(endedAt, this.#clock.date()) ? { reason, endedAt } : undefined
  }

  /** Returns when a session ended, in epoch milliseconds: its deadline, if it expired. */
  #endedAt(
    times: Pick<SessionRecord<T>, 'lastActive' | 'created' | 'timeoutMs'>,
    reason: EndReason,
    now: number,
  ): number {
    let end = now
    if (reason === 'idle') end = times.lastActive + times.timeoutMs
    else if (reason === 'age') end = times.created + this.#maxAgeMs
    return Math.round(this.#clock.date() - (this.#clock.now() - end))
  }
}
