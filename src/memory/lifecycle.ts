import type { Announcer, LogLine } from '../core/announcer.ts'
import type { FullClock } from '../core/clock.ts'
import { type ArchiveReason, type EndReason, isExpiryReason } from '../core/end-reason.ts'
import { SessionRegistryError } from '../core/errors.ts'
import type { Counters } from '../core/stats.ts'
import type { SessionRecord } from './session-record.ts'
import { sessionState } from './session-record.ts'
import type { SessionTable } from './session-table.ts'
import type { SessionUse } from './session-use.ts'
import { SessionView } from './session-view.ts'

/** What other parts of the registry do about a transition. */
export interface LifecycleHooks<T> {
  /** Takes a session that is to be archived; `undefined` where nothing is archived. */
  readonly archive: ((record: SessionRecord<T>, reason: ArchiveReason) => void) | undefined
  /** The number of sessions that could end by time may have changed. */
  readonly changed: () => void
  /** Memory holds one session less. */
  readonly freed: () => void
  /** A session in use was released. */
  readonly released: (record: SessionRecord<T>) => void
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
  readonly table: SessionTable<T>
  readonly clock: FullClock
  readonly announcer: Announcer
  readonly counters: Counters
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

  /** The live record of an id. One that is over is let go. */
  live(id: string): SessionRecord<T> | undefined {
    const record = this.table.find(id)
    if (record === undefined) return undefined
    if (!this.table.isOver(record, this.clock.now())) return record
    this.expire(record)
    return undefined
  }

  create(id: string, value: T, timeoutMs?: number, loaded = false): SessionRecord<T> {
    const record = this.table.insert(id, value, timeoutMs, this.clock.now())
    this.counters.created += 1
    if (loaded) this.counters.loaded += 1
    const isLogged = this.announcer.isLogged('info')
    if (isLogged || this.announcer.isWanted('created')) {
      const line: LogLine = {
        level: 'info',
        message: 'session created',
        fields: loaded ? { loaded } : {},
        id,
      }
      this.announcer.push('created', [this.viewOf(record)], isLogged ? line : undefined)
    }
    this.#hooks.changed()
    return record
  }

  hold(record: SessionRecord<T>): void {
    this.table.hold(record)
    record.state = sessionState.held
  }

  release(record: SessionRecord<T>): void {
    this.table.release(record, this.clock.now())
    record.state = sessionState.active
    this.#hooks.released(record)
  }

  /** Lets go a session that is over. */
  expire(record: SessionRecord<T>): void {
    this.letGo(record, this.table.expiryReason(record))
  }

  /** Lets go an active session: it ends, after it was archived if that is what the registry does. */
  letGo(record: SessionRecord<T>, reason: ArchiveReason): void {
    const { archive } = this.#hooks
    if (archive === undefined) {
      this.end(record, reason)
      return
    }
    this.table.remove(record)
    record.state = sessionState.archiving
    archive(record, reason)
    this.#hooks.changed()
  }

  /** Ends a session at once, whatever it is doing. */
  end(record: SessionRecord<T>, reason: EndReason): void {
    const { use } = record
    this.table.remove(record)
    this.#finish(record, reason)
    if (use !== undefined) {
      record.use = undefined
      this.#hooks.cutOff(record, use)
    }
    this.#hooks.changed()
  }

  /** Ends a session that has left the table to be archived. */
  finish(record: SessionRecord<T>, reason: EndReason): void {
    this.#finish(record, reason)
  }

  /** Takes back a session that could not be archived. */
  handBack(record: SessionRecord<T>, cause: unknown): void {
    record.state = sessionState.active
    this.table.reinsert(record, this.clock.now())
    record.view?.renew()
    const error = new SessionRegistryError(
      'ERR_SESSION_ARCHIVE_FAILED',
      'Expected `archive` to put the session away, but its last attempt failed: the session was handed back alive',
      { cause, session: this.viewOf(record) },
    )
    this.announcer.report(error, 'session could not be archived', record.id)
    this.#hooks.changed()
  }

  /** Part of what a {@link SessionView} needs. */
  timeoutAssigned(): void {
    this.#hooks.changed()
  }

  #finish(record: SessionRecord<T>, reason: EndReason): void {
    const now = this.clock.now()
    this.counters.countEnd(reason)
    record.state = sessionState.gone
    record.view?.end(now)
    const ageMs = Math.round(now - record.created)
    const idleMs = Math.round(now - record.lastActive)
    if (isExpiryReason(reason)) {
      this.#tellEnd('expired', record, reason, now, {
        level: 'info',
        message: 'session expired',
        fields: { reason, idleMs, ageMs },
      })
    }
    this.#tellEnd('ended', record, reason, now, {
      level: 'debug',
      message: 'session ended',
      fields: { reason, idleMs, ageMs },
    })
    this.#hooks.freed()
  }

  #tellEnd(
    event: 'expired' | 'ended',
    record: SessionRecord<T>,
    reason: EndReason,
    now: number,
    line: LogLine,
  ): void {
    const isLogged = this.announcer.isLogged(line.level)
    if (!isLogged && !this.announcer.isWanted(event)) return
    const view = this.viewOf(record)
    view.end(now)
    this.announcer.push(event, [view, reason], isLogged ? { ...line, id: record.id } : undefined)
  }
}
