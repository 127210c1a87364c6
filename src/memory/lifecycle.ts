import type { ArchiveReason, EndReason } from '../core/end-reason.ts'
import { storeConflictError } from '../core/errors/store-errors.ts'
import { archiveFailedError } from '../core/errors/turn-errors.ts'
import type { EventQueue } from '../core/events/event-queue.ts'
import { SessionLog } from '../core/events/session-log.ts'
import type { Step } from '../core/events/step.ts'
import { checkOwnTimeout } from '../core/options/store-options.ts'
import type { Counters } from '../core/stats.ts'
import type { FullClock } from '../core/time/clock.ts'
import type { RecordView, SessionRecord } from './session/session-record.ts'
import { SessionUsers, usersOf } from './session/session-users.ts'
import { SessionView } from './session/session-view.ts'
import type { Sessions } from './session/sessions.ts'
import type { StoreEntry } from './storing/store-entry.ts'
import { noSlot, type Slot } from './table/session-table.ts'

/** What other components do about a transition, at once; see `wiring.ts`. */
export interface LifecycleHooks<T> {
  /** Takes a session that is to be archived; `undefined` where nothing is archived. */
  readonly archive: ((record: SessionRecord<T>, reason: ArchiveReason) => void) | undefined
  /** A session is in the table: created, loaded, or restored. */
  readonly onCreated: (id: string, slot: Slot) => void
  /** The number of sessions that can expire may have changed. */
  readonly onExpirableCountChanged: () => void
  /** The last user of a session has left it. */
  readonly onReleased: (slot: Slot) => void
  /** A session ended while it was in use. */
  readonly onEndedInUse: (record: SessionRecord<T>) => void
  /** A session that a store has, or may be getting, has ended: no save of it may be tried again. */
  readonly onStoredEnded: (record: SessionRecord<T>) => void
}

/** Where a new session comes from. */
export interface SessionOrigin {
  readonly isLoaded: boolean
  /** What the store has under its id, if that was looked up. */
  readonly stored: StoreEntry | undefined
}

/**
 * The transitions between the states of a session, all of them:
 *
 * ```
 *            hold ──────────▶ held ─┐
 * create ▶ active ◀── release ──┘   │ end
 *            │ ▲                    ▼
 *            │ └── restore ─ archiving ── finish ─▶ gone
 *            └── retire ───────▶┘                    ▲
 *            └── end ────────────────────────────────┘
 * ```
 *
 * Each is made in a {@link Step}: it changes the table and the counters at once, and enqueues events and log
 * lines. One that frees a place marks the step as changed. No user code runs in here.
 */
export class Lifecycle<T> {
  declare readonly table: Sessions<T>
  declare readonly clock: FullClock
  declare readonly step: Step
  declare readonly events: EventQueue
  declare readonly counters: Counters
  declare readonly log: SessionLog<T>
  readonly #hooks: LifecycleHooks<T>
  /** The longest idle timeout that a session may have of its own: half of the time that a store keeps it. */
  readonly #maxTimeoutMs: number
  readonly #viewOfSlot = (slot: Slot) => this.viewOf(this.table.recordOf(slot))

  constructor(
    table: Sessions<T>,
    clock: FullClock,
    step: Step,
    counters: Counters,
    hooks: LifecycleHooks<T>,
    maxTimeoutMs = Number.POSITIVE_INFINITY,
  ) {
    this.table = table
    this.clock = clock
    this.step = step
    this.events = step.events
    this.counters = counters
    this.log = new SessionLog(step.events, counters)
    this.#hooks = hooks
    this.#maxTimeoutMs = maxTimeoutMs
  }

  viewOf(record: SessionRecord<T>): RecordView<T> {
    record.view ??= new SessionView(record, this)
    return record.view
  }

  /**
   * Returns the time of the last activity, in epoch milliseconds, as a store keeps it: that a session was
   * restored is no activity, though its idle time starts anew.
   */
  lastActiveAtOf(record: SessionRecord<T>): number {
    const before = record.stored?.beforeRestore
    const isIdle = before?.restored === record.lastActive && !record.isHeld
    return before !== undefined && isIdle ? before.lastActiveAt : this.viewOf(record).lastActiveAt
  }

  /** Returns the live session of an id, or `noSlot`. An expired one is retired. */
  liveOrExpire(id: string): Slot {
    const slot = this.table.find(id)
    if (slot === noSlot || !this.table.isExpired(slot, this.clock.now())) return slot
    this.expire(slot)
    return noSlot
  }

  create(id: string, value: T, now: number, timeoutMs?: number, origin?: SessionOrigin): Slot {
    this.step.assertOpen()
    const slot = this.table.insert(id, value, timeoutMs, now)
    if (origin?.stored !== undefined) this.#adoptEntry(slot, origin.stored, now)
    this.log.created(id, origin?.isLoaded === true, this.#viewOfSlot, slot)
    this.#hooks.onCreated(id, slot)
    return slot
  }

  #adoptEntry(slot: Slot, entry: StoreEntry, now: number): void {
    this.table.recordOf(slot).stored = entry
    if (entry.createdAt === undefined) return
    // A wall clock that was set back must not make a session younger than new.
    this.table.setCreated(slot, now - Math.max(0, this.clock.date() - entry.createdAt))
  }

  /** Returns the users of a session, for one more. The first one makes the session held. */
  use(record: SessionRecord<T>): SessionUsers<T> {
    let users = usersOf(record)
    if (users === undefined) {
      this.step.assertOpen()
      users = new SessionUsers<T>()
      record.users = users
      this.table.hold(record.slot)
    }
    return users
  }

  /** Releases a session that its last user has left: its idle time starts again. */
  release(record: SessionRecord<T>): void {
    record.users = undefined
    this.step.assertOpen()
    this.table.release(record.slot, this.clock.now())
    this.#hooks.onReleased(record.slot)
  }

  /** Retires an expired session. */
  expire(slot: Slot, now = this.clock.now()): void {
    this.retire(slot, this.table.expiryReason(slot), now)
  }

  /** Ends an active session, after it was archived where the registry archives. */
  retire(slot: Slot, reason: ArchiveReason, now = this.clock.now()): void {
    const { archive } = this.#hooks
    if (archive === undefined) {
      this.end(slot, reason, now)
      return
    }
    archive(this.table.detach(slot), reason)
    this.step.markChanged()
    this.#hooks.onExpirableCountChanged()
  }

  /** Ends a session at once, held or not. */
  end(slot: Slot, reason: EndReason, now = this.clock.now()): void {
    const { table } = this
    // In use until now: the times that stand still after the end must not fall back to before the use.
    if (table.isHeld(slot)) table.touch(slot, this.clock.now())
    const isObserved = this.log.isEndObserved(reason)
    const record = isObserved ? table.detach(slot) : table.remove(slot)
    // Without a record no code has seen the session as an object, and none will.
    if (record === undefined) this.counters.countEnd(reason)
    else this.#finish(record, reason, now, isObserved)
    this.step.markChanged()
    if (record?.users !== undefined) this.#hooks.onEndedInUse(record)
    if (record?.stored !== undefined) this.#hooks.onStoredEnded(record)
    this.#hooks.onExpirableCountChanged()
  }

  /** Ends a session that has left the table to be archived. */
  finishArchived(record: SessionRecord<T>, reason: EndReason): void {
    this.#finish(record, reason, this.clock.now(), this.log.isEndObserved(reason))
    this.step.markChanged()
    if (record.stored !== undefined) this.#hooks.onStoredEnded(record)
  }

  /** Restores a session that could not be archived: it is alive again, and its times start anew. */
  restore(record: SessionRecord<T>, cause: unknown): void {
    const { stored } = record
    const lastActiveAt = stored === undefined ? 0 : this.lastActiveAtOf(record)
    this.table.reinsert(record, this.clock.now())
    if (stored !== undefined) stored.beforeRestore = { restored: record.lastActive, lastActiveAt }
    record.view?.restart()
    const error = archiveFailedError('was restored alive', this.viewOf(record), cause)
    this.events.reportError(error, 'session could not be archived', record.id)
    this.#hooks.onCreated(record.id, record.slot)
  }

  /** Ends a live session that was changed elsewhere: what is stored is newer than what this process has. */
  endReplaced(record: SessionRecord<T>): void {
    if (record.slot !== noSlot) this.end(record.slot, 'replaced')
  }

  /** Reports a session that was changed elsewhere, where no call can be rejected. */
  reportConflict(record: SessionRecord<T>): void {
    const error = storeConflictError(this.viewOf(record))
    this.events.reportError(error, 'session was changed elsewhere', record.id)
  }

  /**
   * Returns the idle timeout of one session.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  checkTimeout(timeoutMs: number | undefined): number | undefined {
    return timeoutMs === undefined ? undefined : checkOwnTimeout(timeoutMs, this.#maxTimeoutMs)
  }

  /**
   * Changes the idle timeout of a session, if it is still live.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  assignTimeout({ slot }: SessionRecord<T>, timeoutMs: number | undefined): void {
    this.checkTimeout(timeoutMs)
    if (slot === noSlot || this.table.isExpired(slot, this.clock.now())) return
    this.step.run(() => {
      this.table.assignTimeout(slot, timeoutMs)
      this.#hooks.onExpirableCountChanged()
    })
  }

  #finish(record: SessionRecord<T>, reason: EndReason, now: number, isObserved: boolean): void {
    record.view?.end(now)
    if (!isObserved) {
      this.counters.countEnd(reason)
      return
    }
    let { view } = record
    if (view === undefined) {
      view = new SessionView(record, this)
      view.end(now)
    }
    this.log.ended(view, reason)
  }
}
