import type { Announcer, LogLine } from '../core/announcer.ts'
import type { FullClock } from '../core/clock.ts'
import { type ArchiveReason, type EndReason, isExpiryReason } from '../core/end-reason.ts'
import { SessionRegistryError } from '../core/errors.ts'
import type { Counters } from '../core/stats.ts'
import type { SessionUse } from './session-use.ts'
import { SessionView } from './session-view.ts'
import type { SessionRecord } from './table/session-record.ts'
import type { SessionTable } from './table/session-table.ts'
import { noSlot } from './table/slot-page.ts'

/** What other parts of the registry do about a transition. */
export interface LifecycleHooks<T> {
  /** Takes a session that is to be archived; `undefined` where nothing is archived. */
  readonly archive: ((record: SessionRecord<T>, reason: ArchiveReason) => void) | undefined
  /** An id has come to life; with it the number of sessions that could end by time may have {@link changed}. */
  readonly arrived: (id: string, slot: number) => void
  /** The number of sessions that could end by time may have changed. */
  readonly changed: () => void
  /** Memory holds one session less. */
  readonly freed: () => void
  /** A session in use was released. */
  readonly released: (slot: number) => void
  /** A session ended in the middle of its use. */
  readonly cutOff: (record: SessionRecord<T>, use: SessionUse<T>) => void
}

/**
 * The transitions between the states of a session, all of them:
 *
 * ```
 *            hold ──────────▶ held ─┐
 * create ▶ active ◀── release ──┘   │ end
 *            │ ▲                    ▼
 *            │ └─ handBack ─ archiving ── finish ─▶ gone
 *            └── letGo ────────▶┘                    ▲
 *            └── end ────────────────────────────────┘
 * ```
 *
 * Each changes the table and the counters at once and only queues what listeners and the log are told: no code of the
 * user runs in here.
 */
export class Lifecycle<T> {
  declare readonly table: SessionTable<T>
  declare readonly clock: FullClock
  declare readonly announcer: Announcer
  declare readonly counters: Counters
  readonly #hooks: LifecycleHooks<T>

  constructor(
    table: SessionTable<T>,
    clock: FullClock,
    announcer: Announcer,
    counters: Counters,
    hooks: LifecycleHooks<T>,
  ) {
    this.table = table
    this.clock = clock
    this.announcer = announcer
    this.counters = counters
    this.#hooks = hooks
  }

  viewOf(record: SessionRecord<T>): SessionView<T> {
    record.view ??= new SessionView(record, this)
    return record.view
  }

  /** The live session of an id; `noSlot` where there is none. One that is over is let go. */
  live(id: string): number {
    const slot = this.table.find(id)
    if (slot === noSlot || !this.table.isOver(slot, this.clock.now())) return slot
    this.expire(slot)
    return noSlot
  }

  create(id: string, value: T, now: number, timeoutMs?: number, loaded = false): number {
    const slot = this.table.insert(id, value, timeoutMs, now)
    this.counters.created += 1
    if (loaded) this.counters.loaded += 1
    if (this.announcer.mayTell('created')) this.#tellCreated(id, slot, loaded)
    this.#hooks.arrived(id, slot)
    return slot
  }

  /**
   * The same where there is nothing to think of but the session itself, if a glance shows that nobody is over; else it does
   * nothing, and gives `noSlot`.
   */
  createAtAGlance(id: string, value: T): number {
    const slot = this.table.insertAtAGlance(id, value, this.clock)
    if (slot !== noSlot) this.counters.created += 1
    return slot
  }

  #tellCreated(id: string, slot: number, loaded: boolean): void {
    const isLogged = this.announcer.isLogged('info')
    const isWanted = this.announcer.isWanted('created')
    if (!isLogged && !isWanted) return
    const line: LogLine = {
      level: 'info',
      message: 'session created',
      fields: loaded ? { loaded } : {},
      id,
    }
    if (!isWanted) {
      // No object is made of the session for the log alone: it would stay as long as the session does.
      this.announcer.log(line)
      return
    }
    const view = this.viewOf(this.table.recordOf(slot))
    this.announcer.push('created', [view], isLogged ? line : undefined)
  }

  hold(slot: number): void {
    this.table.hold(slot)
  }

  release(slot: number): void {
    this.table.release(slot, this.clock.now())
    this.#hooks.released(slot)
  }

  /** Lets go a session that is over. */
  expire(slot: number, now = this.clock.now()): void {
    this.letGo(slot, this.table.expiryReason(slot), now)
  }

  /** Lets go an active session: it ends, after it was archived if that is what the registry does. */
  letGo(slot: number, reason: ArchiveReason, now = this.clock.now()): void {
    const { archive } = this.#hooks
    if (archive === undefined) {
      this.end(slot, reason, now)
      return
    }
    const record = this.table.takeOut(slot)
    archive(record, reason)
    this.#hooks.changed()
  }

  /** Ends a session at once, whatever it is doing. */
  end(slot: number, reason: EndReason, now = this.clock.now()): void {
    const { table } = this
    // In use until now: the times that stand still after the end must not fall back to before the use.
    if (table.isHeld(slot)) table.touch(slot, this.clock.now())
    const isTold = this.#isTold(reason)
    const record = isTold ? table.takeOut(slot) : table.remove(slot)
    // Nobody has seen it where it has no record, and nobody will: no object was made of it.
    if (record === undefined) this.counters.countEnd(reason)
    else this.#finish(record, reason, now, isTold)
    this.#hooks.freed()
    if (record?.use !== undefined) {
      const { use } = record
      record.use = undefined
      this.#hooks.cutOff(record, use)
    }
    this.#hooks.changed()
  }

  /** Ends a session that has left the table to be archived. */
  finish(record: SessionRecord<T>, reason: EndReason): void {
    this.#finish(record, reason, this.clock.now(), this.#isTold(reason))
    this.#hooks.freed()
  }

  /** Takes back a session that could not be archived. */
  handBack(record: SessionRecord<T>, cause: unknown): void {
    this.table.reinsert(record, this.clock.now())
    record.view?.renew()
    const error = new SessionRegistryError(
      'ERR_SESSION_ARCHIVE_FAILED',
      'Expected `archive` to put the session away, but its last attempt failed: the session was handed back alive',
      { cause, session: this.viewOf(record) },
    )
    this.announcer.report(error, 'session could not be archived', record.id)
    this.#hooks.arrived(record.id, record.slot)
  }

  /** Part of what a {@link SessionView} needs. */
  timeoutAssigned(): void {
    this.#hooks.changed()
  }

  #finish(record: SessionRecord<T>, reason: EndReason, now: number, isTold: boolean): void {
    this.counters.countEnd(reason)
    record.view?.end(now)
    if (!isTold) return
    let { view } = record
    if (view === undefined) {
      view = new SessionView(record, this)
      view.end(now)
    }
    const args = [view, reason]
    for (const { event, level, message } of toldOf(reason)) {
      const line = this.announcer.isLogged(level)
        ? { level, message, fields: endFields(record, reason, now), id: record.id }
        : undefined
      this.announcer.push(event, args, line)
    }
  }

  /** Whether a listener or the log is going to be told of such an end. */
  #isTold(reason: EndReason): boolean {
    for (const { event, level } of toldOf(reason)) {
      if (this.announcer.isWanted(event) || this.announcer.isLogged(level)) return true
    }
    return false
  }
}

function toldOf(reason: EndReason) {
  return isExpiryReason(reason) ? ofExpiry : ofOtherEnds
}

const ended = { event: 'ended', level: 'debug', message: 'session ended' } as const
const ofOtherEnds = [ended]
const ofExpiry = [{ event: 'expired', level: 'info', message: 'session expired' } as const, ended]

function endFields<T>({ created, lastActive }: SessionRecord<T>, reason: EndReason, now: number) {
  return { reason, idleMs: Math.round(now - lastActive), ageMs: Math.round(now - created) }
}
