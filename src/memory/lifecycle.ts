import type { ArchiveReason, EndReason } from '../core/end-reason.ts'
import { storeConflictError } from '../core/errors/store-errors.ts'
import { archiveFailedError } from '../core/errors/turn-errors.ts'
import type { EventQueue } from '../core/events/event-queue.ts'
import { SessionLog } from '../core/events/session-log.ts'
import type { Step } from '../core/events/step.ts'
import { checkOwnTimeout } from '../core/options/store-options.ts'
import type { Counters } from '../core/stats.ts'
import type { FullClock } from '../core/time/clock.ts'
import type { LifecycleHooks } from './lifecycle-hooks.ts'
import type { RecordView, SessionRecord } from './session/session-record.ts'
import { SessionUsers, usersOf } from './session/session-users.ts'
import { SessionView } from './session/session-view.ts'
import type { Sessions } from './session/sessions.ts'
import type { StoreEntry } from './storing/store-entry.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import { Endings, type EndingsOptions } from './tombstones/endings.ts'

/** Where a new session comes from. */
export interface SessionOrigin {
  readonly isLoaded: boolean
  /** What the store has under its id, if that was looked up. */
  readonly stored: StoreEntry | undefined
  readonly owner: string | undefined
}

export interface LifecycleOptions extends EndingsOptions {
  /** The longest idle timeout that one session may have, in milliseconds. */
  readonly maxTimeoutMs: number
}

/**
 * The transitions between the states of a session, all of them:
 *
 * ```
 *            hold ──────────▶ held ─┐
 * create ▶ active ◀── release ──┘   │ end
 *            │ ▲                    ▼
 *            │ └── restore ─ archiving ─▶ disposing ─▶ gone
 *            └── retire ───────▶┘             ▲
 *            └── end ─────────────────────────┘
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
  readonly endings: Endings<T>
  readonly #viewOfSlot = (slot: Slot) => this.viewOf(this.table.recordOf(slot))

  constructor(
    table: Sessions<T>,
    clock: FullClock,
    step: Step,
    counters: Counters,
    hooks: LifecycleHooks<T>,
    options: LifecycleOptions,
  ) {
    this.table = table
    this.clock = clock
    this.step = step
    this.events = step.events
    this.counters = counters
    this.log = new SessionLog(step.events, counters)
    this.#hooks = hooks
    this.#maxTimeoutMs = options.maxTimeoutMs
    this.endings = new Endings(table, clock, options)
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
    if (origin?.owner !== undefined) this.table.owners.set(slot, origin.owner)
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
    const record = this.table.detach(slot)
    record.leftAt = now
    this.#countAway(record, 1)
    archive(record, reason)
    this.step.markChanged()
    this.#hooks.onExpirableCountChanged()
  }

  /** Ends a session at once, held or not. */
  end(slot: Slot, reason: EndReason, now = this.clock.now()): void {
    const { table } = this
    // In use until now: the times that stand still after the end must not fall back to before the use.
    if (table.isHeld(slot)) table.touch(slot, this.clock.now())
    const record =
      this.#hooks.dispose === undefined ? this.#remove(slot, reason, now) : this.#detach(slot, reason)
    this.step.markChanged()
    if (record?.users !== undefined) this.#hooks.onEndedInUse(record)
    if (record?.stored !== undefined) this.#hooks.onStoredEnded(record)
    this.#hooks.onExpirableCountChanged()
  }

  /** Ends a session that has left the table to be archived. `waits`: its archive has not settled. */
  finishArchived(
    record: SessionRecord<T>,
    reason: EndReason,
    { isArchived, waits = false }: { readonly isArchived: boolean; readonly waits?: boolean },
  ): void {
    const { dispose } = this.#hooks
    if (dispose === undefined) {
      this.finish(record, reason)
      return
    }
    this.viewOf(record).end(this.clock.now())
    dispose(record, reason, { isArchived, waits })
    this.step.markChanged()
  }

  /** Tells that a session has ended, of which nothing is left to do. */
  finish(record: SessionRecord<T>, reason: EndReason): void {
    this.#countAway(record, -1)
    if (this.endings.isEnabled) this.endings.addRecord(record, reason)
    this.#finish(record, reason, this.clock.now(), this.log.isEndObserved(reason))
    this.step.markChanged()
    if (record.stored !== undefined) this.#hooks.onStoredEnded(record)
  }

  /** A session that has left the table counts towards the limit of its owner until it is gone. */
  #countAway({ owner }: SessionRecord<T>, change: 1 | -1): void {
    if (owner !== undefined) this.table.owners.countAway(owner, change)
  }

  #remove(slot: Slot, reason: EndReason, now: number): SessionRecord<T> | undefined {
    if (this.endings.isEnabled) this.endings.addSlot(slot, reason, now)
    const isObserved = this.log.isEndObserved(reason)
    const record = isObserved ? this.table.detach(slot) : this.table.remove(slot)
    // Without a record no code has seen the session as an object, and none will.
    if (record === undefined) this.counters.countEnd(reason)
    else this.#finish(record, reason, now, isObserved)
    return record
  }

  #detach(slot: Slot, reason: EndReason): SessionRecord<T> {
    const record = this.table.detach(slot)
    record.leftAt = this.clock.now()
    this.viewOf(record).end(record.leftAt)
    // Its users come first: their signals abort, and turns settle.
    const waits = record.users !== undefined
    this.#countAway(record, 1)
    this.#hooks.dispose?.(record, reason, { isArchived: false, waits })
    return record
  }

  /** Restores a session that could not be archived: it is alive again, and its times start anew. */
  restore(record: SessionRecord<T>, cause: unknown): void {
    const { stored } = record
    const lastActiveAt = stored === undefined ? 0 : this.lastActiveAtOf(record)
    this.#countAway(record, -1)
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
