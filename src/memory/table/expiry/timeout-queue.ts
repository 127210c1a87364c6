import { noSlot, type Slot } from '../layout.ts'
import { InsertTemplate } from '../slots/insert-template.ts'
import { SlotList } from '../slots/slot-list.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { ActivityHeap } from './activity-heap.ts'
import { maxStepsPerScan, type ScanResult } from './scan.ts'

/**
 * Ticks in one timeout: enough to make relinking rare and to order evictions to within one percent of the
 * timeout.
 */
const ticksPerTimeout = 128

/** Longest tick, in milliseconds: evictions stay sensible where timeouts are hours or days. */
const maxTickMs = 10_000

/** Shortest tick, in milliseconds: the tick of any instant is still an exact number. */
const minTickMs = 2 ** -10

/**
 * Ticks between two relinks where nothing is evicted: only scans use the order then, and they sort out what
 * is late.
 */
const ticksPerLooseRelink = 32

/** How well a queue keeps the order of activity: to within a tick, or only as well as scans need it. */
export type Precision = 'for-evictions' | 'for-sweeps'

export interface TimeoutQueueOptions {
  readonly timeoutMs: number
  /** The absolute timeout of the registry. */
  readonly maxAgeMs: number
  readonly precision: Precision
}

/**
 * The sessions of one idle timeout, in order of activity (a _timing list_). `timeout-queues.ts` has a
 * picture.
 *
 * A touch only writes `lastActive`. A session is moved to the end of `ordered` once in a tick at most, so
 * `ordered` is sorted by `linkedTick`, the tick of that move, and no session in it expires before its tick
 * plus the timeout. A scan looks at the front and stops at the first session that cannot have expired.
 *
 * A session at the front that was active after its move is deferred: it waits in `exact`, by its true last
 * activity, and its next touch moves it back to the end of `ordered`. A session that comes from another queue
 * waits there too.
 */
export class TimeoutQueue {
  readonly timeoutMs: number
  readonly #ticksPerMs: number
  /** The age of a move, in ticks, from which a touch moves the session again. */
  readonly #ticksPerRelink: number
  /** The age of a move, in ticks, up to which a session need not move and cannot have expired. */
  readonly #ticksUntilCheck: number
  /** The number by which slots name the queue. */
  readonly number: number
  readonly #slots: SlotStore
  readonly #maxAgeMs: number
  readonly #tickMs: number
  readonly #ordered: SlotList
  readonly #exact: ActivityHeap
  declare readonly template: InsertTemplate
  /** The number of sessions with this timeout, held ones included. */
  size = 0

  constructor(slots: SlotStore, number: number, { timeoutMs, maxAgeMs, precision }: TimeoutQueueOptions) {
    this.#slots = slots
    this.number = number
    this.timeoutMs = timeoutMs
    this.#maxAgeMs = maxAgeMs
    this.#tickMs = Math.max(minTickMs, Math.min(timeoutMs / ticksPerTimeout, maxTickMs))
    this.#ticksPerMs = 1 / this.#tickMs
    this.#ticksPerRelink = precision === 'for-evictions' ? 1 : ticksPerLooseRelink
    // One for the tick that has begun, one for the rounding of ticks.
    const safeTicks = Math.floor(timeoutMs / this.#tickMs) - 2
    this.#ticksUntilCheck = Math.min(safeTicks, this.#ticksPerRelink)
    this.#ordered = new SlotList(slots)
    this.#exact = new ActivityHeap(slots, number)
    this.template = new InsertTemplate(number, this.#ordered.sentinel, slots.pages)
  }

  get isFinite(): boolean {
    return this.timeoutMs !== Number.POSITIVE_INFINITY
  }

  /** Sets {@link template} for insertions from now on. No session of the table expires before `limit`. */
  refreshTemplate(now: number, limit: number): void {
    const tick = this.#tickOf(now)
    this.template.tick = tick
    // Too early for a session that is created later, which only makes a touch look more closely.
    this.template.nextCheckAt = Math.min(this.#nextCheckAfter(tick), now + this.#maxAgeMs)
    this.template.validFrom = now
    // Rounding may put the end into the next tick. A tick that is too early only makes a scan look more
    // closely.
    const end = this.isFinite ? (tick + 1) * this.#tickMs : Number.POSITIVE_INFINITY
    this.template.validUntil = Math.min(end, limit, now + this.#maxAgeMs / ticksPerTimeout)
  }

  /** Adds a session as the most recently active one. Returns whether it is the only one in `ordered`. */
  append(slot: Slot, now: number): boolean {
    const tick = this.#tickOf(now)
    this.#slots.setLinkedTick(slot, tick)
    this.#slots.setNextCheckAt(
      slot,
      Math.min(this.#nextCheckAfter(tick), this.#slots.created(slot) + this.#maxAgeMs),
    )
    return this.#ordered.append(slot)
  }

  /** Adds a session that was active some time ago. */
  insertByActivity(slot: Slot): void {
    // The next touch takes the slow path, and moves the session to the end.
    this.#slots.setNextCheckAt(slot, Number.NEGATIVE_INFINITY)
    this.#slots.setLinkedTick(slot, Number.NEGATIVE_INFINITY)
    this.#exact.add(slot)
  }

  /** Moves a session to the end, as the most recently active one. */
  relink(slot: Slot, now: number): void {
    this.#slots.unlink(slot)
    this.append(slot, now)
  }

  /** Reports whether a touch has to move the session. Without ticks, each touch does. */
  needsRelink(slot: Slot, now: number): boolean {
    return !this.isFinite || this.#tickOf(now) - this.#slots.linkedTick(slot) >= this.#ticksPerRelink
  }

  isExpired(slot: Slot, now: number): boolean {
    return this.#deadlineOf(slot) <= now
  }

  /** No session that is inserted with {@link template} expires before this instant. */
  get earliestExpiryOfInsert(): number {
    return this.#earliestExpiryAt(this.template.tick)
  }

  /** No session of the queue expires before this instant. */
  get earliestExpiry(): number {
    return Math.min(this.#earliestExpiryOf(this.#ordered.first), this.#deadlineOf(this.#exact.first))
  }

  /** Returns an expired session, as {@link ScanResult} describes. */
  nextExpired(now: number): ScanResult {
    if (!this.isFinite) return noSlot
    for (let step = 0; step < maxStepsPerScan; step += 1) {
      const ordered = this.#ordered.first
      const exact = this.#exact.first
      const bound = this.#earliestExpiryOf(ordered)
      const deadline = this.#deadlineOf(exact)
      if (deadline <= bound) return deadline <= now ? exact : noSlot
      if (bound > now) return noSlot
      if (this.isExpired(ordered, now)) return ordered
      this.#slots.unlink(ordered)
      this.insertByActivity(ordered)
    }
    return 'paused'
  }

  /** The least recently active session, to within one tick; exact without a timeout. */
  get leastRecentlyActive(): Slot {
    const ordered = this.#ordered.first
    const exact = this.#exact.first
    if (ordered === noSlot || exact === noSlot) return ordered === noSlot ? exact : ordered
    return this.#slots.lastActive(exact) < this.#slots.lastActive(ordered) ? exact : ordered
  }

  /**
   * Appends the slots of sessions that are not held, roughly in order of activity: all, or the first `max` of
   * each of its two orders.
   */
  appendTo(slots: Slot[], max?: number): void {
    this.#exact.appendTo(slots, max)
    this.#ordered.appendTo(slots, max)
  }

  /** Frees what the queue itself takes. It is empty, and not used again. */
  dispose(): void {
    this.#ordered.dispose()
    this.#exact.dispose()
  }

  /** A sum, as timers are set, and not a difference, which may round to less than the timeout. */
  #deadlineOf(slot: Slot): number {
    return slot === noSlot ? Number.POSITIVE_INFINITY : this.#slots.lastActive(slot) + this.timeoutMs
  }

  #earliestExpiryOf(slot: Slot): number {
    return slot === noSlot ? Number.POSITIVE_INFINITY : this.#earliestExpiryAt(this.#slots.linkedTick(slot))
  }

  #earliestExpiryAt(tick: number): number {
    if (!this.isFinite) return Number.POSITIVE_INFINITY
    // One tick early, so that the rounding of a tick never hides a session that expires in this very
    // millisecond.
    return (tick - 1) * this.#tickMs + this.timeoutMs
  }

  #nextCheckAfter(tick: number): number {
    return this.isFinite ? (tick + this.#ticksUntilCheck) * this.#tickMs : Number.NEGATIVE_INFINITY
  }

  #tickOf(instant: number): number {
    return this.isFinite ? Math.floor(instant * this.#ticksPerMs) : 0
  }
}
