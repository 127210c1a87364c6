import { Arrival } from './arrival.ts'
import { LateLists } from './late-lists.ts'
import { MovedList } from './moved-list.ts'
import { SlotList } from './slot-list.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/** How many sessions may be put elsewhere before a walk stops to let its caller look at the clock. */
export const stepsPerBreath = 64

/** What a walk gives when it stops only for that; no slot has this number. */
export const breath = -1

/** A 128th of the timeout keeps moves rare and the order good to within one percent. */
const granulesPerTimeout = 128

/** No coarser than this, so that eviction stays sensible where timeouts are hours or days. */
const maxGranuleMs = 10_000

/** No finer than this: with it, even an absurdly short timeout gives ticks that a number holds exactly. */
const minGranuleMs = 2 ** -10

/** Where nobody is evicted the order matters to sweeps only, and a session moves once in so many granules. */
const granulesPerSeldomMove = 32

/** How well a class keeps the order of activity: to within a granule, for evictions, or as well as sweeps need it. */
export type OrderKept = 'for-evictions' | 'for-sweeps'

export interface IdleClassOptions {
  readonly timeoutMs: number
  /** The absolute timeout of the registry. */
  readonly maxAgeMs: number
  readonly order: OrderKept
}

/**
 * All sessions of one idle timeout, in order of their last activity to within one granule.
 *
 * A touch only writes `lastActive`; a session moves to the end of the list at most once per granule, and once in several
 * where nobody is evicted. So the list is sorted by `linkedTick`, the granule of the last move, and a session cannot be
 * over before the start of that granule plus the timeout: a walk from the front stops at the first that cannot be over.
 *
 * A session that was in use in a later granule than that of its last move goes to the list of that later granule.
 * One that could be over by its granule and is not by its exact time waits in `soon`, for two granules at most,
 * and `soon` is looked through only when the earliest of its deadlines has come. Nothing scans the live sessions.
 */
export class IdleClass<T> {
  readonly timeoutMs: number
  readonly #ticksPerMs: number
  /** A session that was put in its place so many granules ago moves at its next touch. */
  readonly #ticksPerMove: number
  /** A session that was put in its place fewer granules ago need not move, and is not over, whatever its exact time. */
  readonly #quietTicks: number
  /** How the slots of the class name it. */
  readonly number: number
  readonly #slots: SlotStore<T>
  readonly #maxAgeMs: number
  readonly #granuleMs: number
  readonly #ordered: SlotList<T>
  readonly #late: LateLists<T>
  /** Sessions that came from another class, where none has a deadline. */
  readonly #moved: MovedList<T> | undefined
  readonly #soon: SlotList<T>
  /** What was `soon` when a walk began and has not been looked at yet; a walk that was cut short leaves it to the next. */
  readonly #checking: SlotList<T>
  /** What a session is given that comes now, as the most recently active: the same for all that come in one granule. */
  declare readonly arrival: Arrival
  #soonEarliest = Number.POSITIVE_INFINITY
  /** Sessions of this class in the table, held ones included. */
  size = 0

  constructor(slots: SlotStore<T>, number: number, { timeoutMs, maxAgeMs, order }: IdleClassOptions) {
    this.#slots = slots
    this.number = number
    this.timeoutMs = timeoutMs
    this.#maxAgeMs = maxAgeMs
    this.#granuleMs = Math.max(minGranuleMs, Math.min(timeoutMs / granulesPerTimeout, maxGranuleMs))
    this.#ticksPerMs = 1 / this.#granuleMs
    this.#ticksPerMove = order === 'for-evictions' ? 1 : granulesPerSeldomMove
    // One for the granule that has begun, one for the rounding of ticks.
    const safeTicks = Math.floor(timeoutMs / this.#granuleMs) - 2
    this.#quietTicks = Math.min(safeTicks, this.#ticksPerMove)
    this.#ordered = new SlotList(slots)
    this.#late = new LateLists(slots)
    this.#moved = this.isFinite ? undefined : new MovedList(slots, number)
    this.#soon = new SlotList(slots)
    this.#checking = new SlotList(slots)
    this.arrival = new Arrival(number, this.#ordered.end, slots.pages)
  }

  get isFinite(): boolean {
    return this.timeoutMs !== Number.POSITIVE_INFINITY
  }

  /** Makes {@link arrival} what it is now. Until `limit` nobody in the table can be over. */
  prepareArrivals(now: number, limit: number): void {
    const tick = this.#tickOf(now)
    this.arrival.tick = tick
    // Too early for those that come later; that only has them looked at earlier.
    this.arrival.quietUntil = Math.min(this.#quietAfter(tick), now + this.#maxAgeMs)
    this.arrival.from = now
    // Rounded, it may be in the next granule already. A tick too early only has the session looked at earlier.
    const end = this.isFinite ? (tick + 1) * this.#granuleMs : Number.POSITIVE_INFINITY
    this.arrival.until = Math.min(end, limit, now + this.#maxAgeMs / granulesPerTimeout)
  }

  /** Adds a session at the end, as the most recently active; says whether it is the first in that order as well. */
  append(slot: number, now: number): boolean {
    this.#linkTo(slot, this.#tickOf(now))
    return this.#ordered.append(slot)
  }

  /** Adds a session that was active a while ago. Its place in the order would have to be searched for. */
  insertByActivity(slot: number): void {
    this.#linkTo(slot, this.#tickOf(this.#slots.lastActive(slot)))
    if (this.#moved === undefined) this.#late.add(slot)
    else this.#moved.add(slot)
  }

  /** Moves a session to the end, as the most recently active. */
  renew(slot: number, now: number): void {
    this.#slots.unlink(slot)
    this.append(slot, now)
  }

  /** Whether a session that is touched now has to move to the end. Without granules every touch moves it. */
  movesAt(slot: number, now: number): boolean {
    return !this.isFinite || this.#tickOf(now) - this.#slots.linkedTick(slot) >= this.#ticksPerMove
  }

  isOver(slot: number, now: number): boolean {
    // The sum, as timers are set by it, and not the difference, which may round to less than the timeout.
    return this.#slots.lastActive(slot) + this.timeoutMs <= now
  }

  /** No session that comes as {@link arrival} says is over before this moment. */
  get arrivalsNotOverBefore(): number {
    return this.#earliestEndOf(this.arrival.tick)
  }

  /** No session of the class is over before this moment. */
  get notOverBefore(): number {
    if (this.#checking.first !== noSlot) return Number.NEGATIVE_INFINITY
    const first = this.#firstLinked()
    return first === noSlot ? this.#soonEarliest : Math.min(this.#soonEarliest, this.#earliestEnd(first))
  }

  /**
   * A session that is over; `noSlot` where there is none; and now and then `breath`, so that the caller can look at the
   * clock. The caller takes it out before it asks for the next. Anything may happen between two of them.
   */
  nextOver(now: number): number {
    if (!this.isFinite) return noSlot
    if (now >= this.#soonEarliest) {
      this.#checking.takeAll(this.#soon)
      this.#soonEarliest = Number.POSITIVE_INFINITY
    }
    for (let step = 0; step < stepsPerBreath; step += 1) {
      const checking = this.#checking.first
      const first = checking === noSlot ? this.#firstLinked() : checking
      // All of `checking` is looked at, whatever its granules: a walk of an earlier moment may have to finish a later one.
      if (first === noSlot || (checking === noSlot && this.#earliestEnd(first) > now)) return noSlot
      if (this.isOver(first, now)) return first
      this.#putAside(first)
    }
    return breath
  }

  /** The least recently active session, to within one granule; exactly without a timeout. */
  get leastActive(): number {
    let least = noSlot
    for (const first of [
      this.#firstLinked(),
      this.#moved?.first ?? noSlot,
      this.#soon.first,
      this.#checking.first,
    ]) {
      if (first === noSlot) continue
      if (least === noSlot || this.#slots.lastActive(first) < this.#slots.lastActive(least)) least = first
    }
    return least
  }

  /** Adds all that are in its order to `slots`, those first that were active least recently, more or less. */
  collect(slots: number[]): void {
    this.#checking.collect(slots)
    this.#soon.collect(slots)
    this.#late.collect(slots)
    this.#moved?.collect(slots)
    this.#ordered.collect(slots)
  }

  /** Gives back what the class itself takes; it is empty, and not used again. */
  drop(): void {
    this.#ordered.drop()
    this.#late.drop()
    this.#moved?.drop()
    this.#soon.drop()
    this.#checking.drop()
  }

  /** The session of the earliest granule. */
  #firstLinked(): number {
    const late = this.#late.first
    const ordered = this.#ordered.first
    if (late === noSlot || ordered === noSlot) return late === noSlot ? ordered : late
    return this.#slots.linkedTick(late) < this.#slots.linkedTick(ordered) ? late : ordered
  }

  /** A session that could be over by its granule, and is not. */
  #putAside(slot: number): void {
    this.#slots.unlink(slot)
    const lastActive = this.#slots.lastActive(slot)
    const tick = this.#tickOf(lastActive)
    if (tick > this.#slots.linkedTick(slot)) {
      this.#slots.setLinkedTick(slot, tick)
      this.#late.add(slot)
    } else {
      this.#soonEarliest = Math.min(this.#soonEarliest, lastActive + this.timeoutMs)
      this.#soon.append(slot)
    }
  }

  #quietAfter(tick: number): number {
    return this.isFinite ? (tick + this.#quietTicks) * this.#granuleMs : Number.NEGATIVE_INFINITY
  }

  #linkTo(slot: number, tick: number): void {
    this.#slots.setLinkedTick(slot, tick)
    this.#slots.setQuietUntil(
      slot,
      Math.min(this.#quietAfter(tick), this.#slots.created(slot) + this.#maxAgeMs),
    )
  }

  #tickOf(moment: number): number {
    return this.isFinite ? Math.floor(moment * this.#ticksPerMs) : 0
  }

  #earliestEnd(slot: number): number {
    return this.#earliestEndOf(this.#slots.linkedTick(slot))
  }

  /** Of a session that was put in its place in that granule. */
  #earliestEndOf(tick: number): number {
    if (!this.isFinite) return Number.POSITIVE_INFINITY
    // One granule early, so that the rounding of a tick never hides a session that is over to the very millisecond.
    return (tick - 1) * this.#granuleMs + this.timeoutMs
  }
}
