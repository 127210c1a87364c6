import { noSlot, type Slot } from '../layout.ts'
import { SlotList } from '../slots/slot-list.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { InsertTemplate } from './insert-template.ts'
import { ReassignedList } from './reassigned-list.ts'
import { RescheduledLists } from './rescheduled-lists.ts'

/** How many sessions may be put elsewhere before a walk stops to let its caller look at the clock. */
export const maxStepsPerScan = 64

/** What a scan for expired sessions returns: one of them, `noSlot` when there are no more, or that it only paused. */
export type ScanResult = Slot | 'paused'

/** A 128th of the timeout keeps moves rare and the order good to within one percent. */
const ticksPerTimeout = 128

/** No coarser than this, so that eviction stays sensible where timeouts are hours or days. */
const maxTickMs = 10_000

/** No finer than this: with it, even an absurdly short timeout gives ticks that a number holds exactly. */
const minTickMs = 2 ** -10

/** Where nobody is evicted the order matters to sweeps only, and a session moves once in so many ticks. */
const ticksPerLooseRelink = 32

/** How well a queue keeps the order of activity: to within a tick, for evictions, or as well as sweeps need it. */
export type Precision = 'for-evictions' | 'for-sweeps'

export interface TimeoutQueueOptions {
  readonly timeoutMs: number
  /** The absolute timeout of the registry. */
  readonly maxAgeMs: number
  readonly precision: Precision
}

/**
 * All sessions of one idle timeout, in order of their last activity to within one tick.
 *
 * A touch only writes `lastActive`; a session moves to the end of the list at most once per tick, and once in several
 * where nobody is evicted. So the list is sorted by `linkedTick`, the tick of the last move, and a session cannot be
 * over before the start of that tick plus the timeout: a walk from the front stops at the first that cannot be over.
 *
 * A session that was in use in a later tick than that of its last move goes to the list of that later tick.
 * One that could be over by its tick and is not by its exact time waits in `dueSoon`, for two ticks at most,
 * and `dueSoon` is looked through only when the earliest of its deadlines has come. Nothing scans the live sessions.
 */
export class TimeoutQueue {
  readonly timeoutMs: number
  readonly #ticksPerMs: number
  /** A session that was put in its place so many ticks ago moves at its next touch. */
  readonly #ticksPerRelink: number
  /** A session that was put in its place fewer ticks ago need not move, and is not over, whatever its exact time. */
  readonly #ticksUntilCheck: number
  /** How the slots of the queue name it. */
  readonly number: number
  readonly #slots: SlotStore
  readonly #maxAgeMs: number
  readonly #tickMs: number
  readonly #ordered: SlotList
  readonly #rescheduled: RescheduledLists
  /** Sessions that came from another queue, where none has a deadline. */
  readonly #reassigned: ReassignedList | undefined
  readonly #dueSoon: SlotList
  /** What was `dueSoon` when a walk began and has not been looked at yet; a walk that was cut short leaves it to the next. */
  readonly #rechecking: SlotList
  /** What a session is given that comes now, as the most recently active: the same for all that come in one tick. */
  declare readonly template: InsertTemplate
  #earliestDueSoon = Number.POSITIVE_INFINITY
  /** Sessions of this queue in the table, held ones included. */
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
    this.#rescheduled = new RescheduledLists(slots)
    this.#reassigned = this.isFinite ? undefined : new ReassignedList(slots, number)
    this.#dueSoon = new SlotList(slots)
    this.#rechecking = new SlotList(slots)
    this.template = new InsertTemplate(number, this.#ordered.sentinel, slots.pages)
  }

  get isFinite(): boolean {
    return this.timeoutMs !== Number.POSITIVE_INFINITY
  }

  /** Makes {@link template} what it is now. Until `limit` nobody in the table can be over. */
  refreshTemplate(now: number, limit: number): void {
    const tick = this.#tickOf(now)
    this.template.tick = tick
    // Too early for those that come later; that only has them looked at earlier.
    this.template.nextCheckAt = Math.min(this.#nextCheckAfter(tick), now + this.#maxAgeMs)
    this.template.validFrom = now
    // Rounded, it may be in the next tick already. A tick too early only has the session looked at earlier.
    const end = this.isFinite ? (tick + 1) * this.#tickMs : Number.POSITIVE_INFINITY
    this.template.validUntil = Math.min(end, limit, now + this.#maxAgeMs / ticksPerTimeout)
  }

  /** Adds a session at the end, as the most recently active; says whether it is the first in that order as well. */
  append(slot: Slot, now: number): boolean {
    this.#linkTo(slot, this.#tickOf(now))
    return this.#ordered.append(slot)
  }

  /** Adds a session that was active a while ago. Its place in the order would have to be searched for. */
  insertByActivity(slot: Slot): void {
    this.#linkTo(slot, this.#tickOf(this.#slots.lastActive(slot)))
    if (this.#reassigned === undefined) this.#rescheduled.add(slot)
    else this.#reassigned.add(slot)
  }

  /** Moves a session to the end, as the most recently active. */
  relink(slot: Slot, now: number): void {
    this.#slots.unlink(slot)
    this.append(slot, now)
  }

  /** Whether a session that is touched now has to move to the end. Without ticks every touch moves it. */
  needsRelink(slot: Slot, now: number): boolean {
    return !this.isFinite || this.#tickOf(now) - this.#slots.linkedTick(slot) >= this.#ticksPerRelink
  }

  isExpired(slot: Slot, now: number): boolean {
    // The sum, as timers are set by it, and not the difference, which may round to less than the timeout.
    return this.#slots.lastActive(slot) + this.timeoutMs <= now
  }

  /** No session that comes as {@link template} says is over before this moment. */
  get earliestExpiryOfInsert(): number {
    return this.#earliestExpiryAt(this.template.tick)
  }

  /** No session of the queue is over before this moment. */
  get earliestExpiry(): number {
    if (this.#rechecking.first !== noSlot) return Number.NEGATIVE_INFINITY
    const first = this.#firstByTick()
    return first === noSlot
      ? this.#earliestDueSoon
      : Math.min(this.#earliestDueSoon, this.#earliestExpiryOf(first))
  }

  /**
   * A session that is over; `noSlot` where there is none; and now and then `scanPaused`, so that the caller can look at the
   * clock. The caller takes it out before it asks for the next. Anything may happen between two of them.
   */
  nextExpired(now: number): ScanResult {
    if (!this.isFinite) return noSlot
    if (now >= this.#earliestDueSoon) {
      this.#rechecking.spliceFrom(this.#dueSoon)
      this.#earliestDueSoon = Number.POSITIVE_INFINITY
    }
    for (let step = 0; step < maxStepsPerScan; step += 1) {
      const rechecking = this.#rechecking.first
      const first = rechecking === noSlot ? this.#firstByTick() : rechecking
      // All of `rechecking` is looked at, whatever its ticks: a walk of an earlier moment may have to finish a later one.
      if (first === noSlot || (rechecking === noSlot && this.#earliestExpiryOf(first) > now)) return noSlot
      if (this.isExpired(first, now)) return first
      this.#defer(first)
    }
    return 'paused'
  }

  /** The least recently active session, to within one tick; exactly without a timeout. */
  get leastRecentlyActive(): Slot {
    let leastRecent = noSlot
    for (const first of [
      this.#firstByTick(),
      this.#reassigned?.first ?? noSlot,
      this.#dueSoon.first,
      this.#rechecking.first,
    ]) {
      if (first === noSlot) continue
      if (leastRecent === noSlot || this.#slots.lastActive(first) < this.#slots.lastActive(leastRecent))
        leastRecent = first
    }
    return leastRecent
  }

  /** Adds all that are in its order to `slots`, those first that were active least recently, more or less. */
  appendTo(slots: Slot[]): void {
    this.#rechecking.appendTo(slots)
    this.#dueSoon.appendTo(slots)
    this.#rescheduled.appendTo(slots)
    this.#reassigned?.appendTo(slots)
    this.#ordered.appendTo(slots)
  }

  /** Gives back what the queue itself takes; it is empty, and not used again. */
  dispose(): void {
    this.#ordered.dispose()
    this.#rescheduled.dispose()
    this.#reassigned?.dispose()
    this.#dueSoon.dispose()
    this.#rechecking.dispose()
  }

  /** The session of the earliest tick. */
  #firstByTick(): Slot {
    const rescheduled = this.#rescheduled.first
    const ordered = this.#ordered.first
    if (rescheduled === noSlot || ordered === noSlot) return rescheduled === noSlot ? ordered : rescheduled
    return this.#slots.linkedTick(rescheduled) < this.#slots.linkedTick(ordered) ? rescheduled : ordered
  }

  /** A session that could be over by its tick, and is not. */
  #defer(slot: Slot): void {
    this.#slots.unlink(slot)
    const lastActive = this.#slots.lastActive(slot)
    const tick = this.#tickOf(lastActive)
    if (tick > this.#slots.linkedTick(slot)) {
      this.#slots.setLinkedTick(slot, tick)
      this.#rescheduled.add(slot)
    } else {
      this.#earliestDueSoon = Math.min(this.#earliestDueSoon, lastActive + this.timeoutMs)
      this.#dueSoon.append(slot)
    }
  }

  #nextCheckAfter(tick: number): number {
    return this.isFinite ? (tick + this.#ticksUntilCheck) * this.#tickMs : Number.NEGATIVE_INFINITY
  }

  #linkTo(slot: Slot, tick: number): void {
    this.#slots.setLinkedTick(slot, tick)
    this.#slots.setNextCheckAt(
      slot,
      Math.min(this.#nextCheckAfter(tick), this.#slots.created(slot) + this.#maxAgeMs),
    )
  }

  #tickOf(moment: number): number {
    return this.isFinite ? Math.floor(moment * this.#ticksPerMs) : 0
  }

  #earliestExpiryOf(slot: Slot): number {
    return this.#earliestExpiryAt(this.#slots.linkedTick(slot))
  }

  /** Of a session that was put in its place in that tick. */
  #earliestExpiryAt(tick: number): number {
    if (!this.isFinite) return Number.POSITIVE_INFINITY
    // One tick early, so that the rounding of a tick never hides a session that is over to the very millisecond.
    return (tick - 1) * this.#tickMs + this.timeoutMs
  }
}
