import { type ArchiveReason, type EndReason, isExpiryReason } from '../core/end-reason.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import type { EventQueue, LogLine } from '../core/events/event-queue.ts'
import type { Counters } from '../core/stats.ts'
import type { FullClock } from '../core/time/clock.ts'
import type { SessionRecord } from './session/session-record.ts'
import type { SessionUsers } from './session/session-users.ts'
import { SessionView } from './session/session-view.ts'
import type { Sessions } from './session/sessions.ts'
import { noSlot, type Slot } from './table/session-table.ts'

/** What other parts of the registry do about a transition. */
export interface LifecycleHooks<T> {
  /** Takes a session that is to be archived; `undefined` where nothing is archived. */
  readonly archive: ((record: SessionRecord<T>, reason: ArchiveReason) => void) | undefined
  /** An id has come to life; with it the number of sessions that could end by time may have {@link onExpirableCountChanged}. */
  readonly onCreated: (id: string, slot: Slot) => void
  /** The number of sessions that could end by time may have changed. */
  readonly onExpirableCountChanged: () => void
  /** Memory holds one session less. */
  readonly onRemoved: () => void
  /** A session in use was released. */
  readonly onReleased: (slot: Slot) => void
  /** A session ended in the middle of its use. */
  readonly onEndedInUse: (record: SessionRecord<T>, users: SessionUsers<T>) => void
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
 * Each changes the table and the counters at once and only queues what listeners and the log are told: no code of the
 * user runs in here.
 */
export class Lifecycle<T> {
  declare readonly table: Sessions<T>
  declare readonly clock: FullClock
  declare readonly events: EventQueue
  declare readonly counters: Counters
  readonly #hooks: LifecycleHooks<T>

  constructor(
    table: Sessions<T>,
    clock: FullClock,
    events: EventQueue,
    counters: Counters,
    hooks: LifecycleHooks<T>,
  ) {
    this.table = table
    this.clock = clock
    this.events = events
    this.counters = counters
    this.#hooks = hooks
  }

  viewOf(record: SessionRecord<T>): SessionView<T> {
    record.view ??= new SessionView(record, this)
    return record.view
  }

  /** The live session of an id; `noSlot` where there is none. One that is over is let go. */
  liveOrExpire(id: string): Slot {
    const slot = this.table.find(id)
    if (slot === noSlot || !this.table.isExpired(slot, this.clock.now())) return slot
    this.expire(slot)
    return noSlot
  }

  create(id: string, value: T, now: number, timeoutMs?: number, isLoaded = false): Slot {
    const slot = this.table.insert(id, value, timeoutMs, now)
    this.counters.created += 1
    if (isLoaded) this.counters.loaded += 1
    if (this.events.mayEmit('created')) this.#emitCreated(id, slot, isLoaded)
    this.#hooks.onCreated(id, slot)
    return slot
  }

  /**
   * The same where there is nothing to think of but the session itself, if a glance shows that nobody is over; else it does
   * nothing, and gives `noSlot`.
   */
  tryFastCreate(id: string, value: T): Slot {
    const slot = this.table.tryFastInsert(id, value, this.clock)
    if (slot !== noSlot) this.counters.created += 1
    return slot
  }

  #emitCreated(id: string, slot: Slot, isLoaded: boolean): void {
    const isLogged = this.events.isLogged('info')
    const mayHaveListeners = this.events.mayHaveListeners('created')
    if (!isLogged && !mayHaveListeners) return
    const line: LogLine = {
      level: 'info',
      message: 'session created',
      fields: isLoaded ? { loaded: isLoaded } : {},
      id,
    }
    if (!mayHaveListeners) {
      // No object is made of the session for the log alone: it would stay as long as the session does.
      this.events.log(line)
      return
    }
    const view = this.viewOf(this.table.recordOf(slot))
    this.events.enqueue('created', [view], isLogged ? line : undefined)
  }

  hold(slot: Slot): void {
    this.table.hold(slot)
  }

  release(slot: Slot): void {
    this.table.release(slot, this.clock.now())
    this.#hooks.onReleased(slot)
  }

  /** Lets go a session that is over. */
  expire(slot: Slot, now = this.clock.now()): void {
    this.retire(slot, this.table.expiryReason(slot), now)
  }

  /** Lets go an active session: it ends, after it was archived if that is what the registry does. */
  retire(slot: Slot, reason: ArchiveReason, now = this.clock.now()): void {
    const { archive } = this.#hooks
    if (archive === undefined) {
      this.end(slot, reason, now)
      return
    }
    const record = this.table.detach(slot)
    archive(record, reason)
    this.#hooks.onExpirableCountChanged()
  }

  /** Ends a session at once, whatever it is doing. */
  end(slot: Slot, reason: EndReason, now = this.clock.now()): void {
    const { table } = this
    // In use until now: the times that stand still after the end must not fall back to before the use.
    if (table.isHeld(slot)) table.touch(slot, this.clock.now())
    const isObserved = this.#isObserved(reason)
    const record = isObserved ? table.detach(slot) : table.remove(slot)
    // Nobody has seen it where it has no record, and nobody will: no object was made of it.
    if (record === undefined) this.counters.countEnd(reason)
    else this.#finish(record, reason, now, isObserved)
    this.#hooks.onRemoved()
    if (record?.users !== undefined) {
      const { users } = record
      record.users = undefined
      this.#hooks.onEndedInUse(record, users)
    }
    this.#hooks.onExpirableCountChanged()
  }

  /** Ends a session that has left the table to be archived. */
  finishArchived(record: SessionRecord<T>, reason: EndReason): void {
    this.#finish(record, reason, this.clock.now(), this.#isObserved(reason))
    this.#hooks.onRemoved()
  }

  /** Takes back a session that could not be archived. */
  restore(record: SessionRecord<T>, cause: unknown): void {
    this.table.reinsert(record, this.clock.now())
    record.view?.restart()
    const error = new SessionRegistryError(
      'ERR_SESSION_ARCHIVE_FAILED',
      'Expected `archive` to put the session away, but its last attempt failed: the session was handed back alive',
      { cause, session: this.viewOf(record) },
    )
    this.events.reportError(error, 'session could not be archived', record.id)
    this.#hooks.onCreated(record.id, record.slot)
  }

  /** Part of what a {@link SessionView} needs. */
  onTimeoutAssigned(): void {
    this.#hooks.onExpirableCountChanged()
  }

  #finish(record: SessionRecord<T>, reason: EndReason, now: number, isObserved: boolean): void {
    this.counters.countEnd(reason)
    record.view?.end(now)
    if (!isObserved) return
    let { view } = record
    if (view === undefined) {
      view = new SessionView(record, this)
      view.end(now)
    }
    const args = [view, reason]
    for (const { event, level, message } of eventsOf(reason)) {
      const line = this.events.isLogged(level)
        ? { level, message, fields: endFields(record, reason, now), id: record.id }
        : undefined
      this.events.enqueue(event, args, line)
    }
  }

  /** Whether a listener or the log is going to be told of such an end. */
  #isObserved(reason: EndReason): boolean {
    for (const { event, level } of eventsOf(reason)) {
      if (this.events.mayHaveListeners(event) || this.events.isLogged(level)) return true
    }
    return false
  }
}

function eventsOf(reason: EndReason) {
  return isExpiryReason(reason) ? expiryEvents : endEvents
}

const ended = { event: 'ended', level: 'debug', message: 'session ended' } as const
const endEvents = [ended]
const expiryEvents = [{ event: 'expired', level: 'info', message: 'session expired' } as const, ended]

function endFields<T>({ created, lastActive }: SessionRecord<T>, reason: EndReason, now: number) {
  return { reason, idleMs: Math.round(now - lastActive), ageMs: Math.round(now - created) }
}
