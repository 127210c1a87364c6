import type { ExpiryReason } from '../../core/end-reason.ts'
import { type FullClock, readClock } from '../../core/time/clock.ts'
import { AgeList } from './expiry/age-list.ts'
import { maxStepsPerScan, type ScanResult } from './expiry/scan.ts'
import type { Precision, TimeoutQueue } from './expiry/timeout-queue.ts'
import { TimeoutQueues } from './expiry/timeout-queues.ts'
import { IdIndex } from './index/id-index.ts'
import { noSlot, type Slot } from './layout.ts'
import { SlotList } from './slots/slot-list.ts'
import { SlotStore } from './slots/slot-store.ts'

export type { ScanResult } from './expiry/scan.ts'
export { noSlot, type Slot } from './layout.ts'

/** The memory of a table, for the fast path alone: it reads and writes there without a call. `layout.ts` draws it. */
export interface FastPathAccess {
  /** The slots of ids, as long as one `Map` holds them. It stays the same one. */
  readonly map: ReadonlyMap<string, Slot>
  /** Finds a slot of an id that is not in the `Map`, or of another one with the same hash; else `noSlot`. */
  readonly index: { candidateInHashIndex(id: string): Slot }
  readonly pages: readonly ({ readonly times: Float64Array; readonly refs: unknown[] } | undefined)[]
}

/**
 * The sessions in memory: by id, in order of activity, and in order of age. Pure data: no timer, no event, no hook.
 *
 * A session is a slot here, which is a number that is its own until it leaves. Each is in one list of
 * activity: that of its timeout queue, or `held` while it is in use. A slot may have a record, which means nothing here.
 */
export class SessionTable<T, R extends object> {
  declare private readonly slots: SlotStore
  declare private readonly byId: IdIndex
  declare private readonly queues: TimeoutQueues
  readonly #maxAgeMs: number
  declare private readonly defaultQueue: TimeoutQueue
  readonly #held: SlotList
  declare private readonly ages: AgeList | undefined
  #heldCount = 0

  constructor(timeoutMs: number, maxAgeMs: number, precision: Precision = 'for-evictions') {
    this.slots = new SlotStore()
    this.byId = new IdIndex(this.slots)
    this.#maxAgeMs = maxAgeMs
    this.#held = new SlotList(this.slots)
    this.queues = new TimeoutQueues(this.slots, timeoutMs, maxAgeMs, precision)
    this.defaultQueue = this.queues.default
    this.ages = maxAgeMs === Number.POSITIVE_INFINITY ? undefined : new AgeList()
  }

  get fastPath(): FastPathAccess {
    return { map: this.byId.map, index: this.byId, pages: this.slots.pages }
  }

  /** Sessions in the table: live ones, and those that are over and not yet taken out. */
  get size(): number {
    return this.byId.size
  }

  get heldCount(): number {
    return this.#heldCount
  }

  /** Sessions that can end by time: with none of them there is nothing to sweep. */
  get expirableCount(): number {
    return this.ages === undefined ? this.size - this.queues.neverExpiringCount : this.size
  }

  /** The session of an id, over or not. */
  find(id: string): Slot {
    return this.byId.find(id)
  }

  idOf(slot: Slot): string {
    return this.slots.idOf(slot)
  }

  valueOf(slot: Slot): T {
    return this.slots.valueOf(slot) as T
  }

  assign(slot: Slot, value: T): void {
    this.slots.setValue(slot, value)
  }

  isHeld(slot: Slot): boolean {
    return this.slots.isHeld(slot)
  }

  /** Tells apart the sessions that have one slot one after another. */
  generation(slot: Slot): number {
    return this.slots.generation(slot)
  }

  /** Monotonic time of the last activity. */
  lastActive(slot: Slot): number {
    return this.slots.lastActive(slot)
  }

  /** Monotonic time of the creation. */
  created(slot: Slot): number {
    return this.slots.created(slot)
  }

  timeoutMs(slot: Slot): number {
    return this.queues.ofSlot(slot).timeoutMs
  }

  /** The record of a session, if it has one. */
  record(slot: Slot): R | undefined {
    return this.slots.record(slot) as R | undefined
  }

  setRecord(slot: Slot, record: R): void {
    this.slots.setRecord(slot, record)
  }

  /** The sessions in use, as they are now. */
  heldSlots(): Slot[] {
    const slots: Slot[] = []
    this.#held.appendTo(slots)
    return slots
  }

  insert(id: string, value: T, timeoutMs: number | undefined, now: number): Slot {
    const queue = this.queues.forTimeout(timeoutMs)
    if (!queue.template.isValidAt(now)) this.#refreshTemplate(queue, now)
    return this.#insert(id, value, now, queue)
  }

  /** Until the first deadline that could come, or shorter. */
  #refreshTemplate(queue: TimeoutQueue, now: number): void {
    const { oldest = noSlot } = this.ages ?? {}
    const maxAgeReachedAt =
      oldest === noSlot ? Number.POSITIVE_INFINITY : this.slots.created(oldest) + this.#maxAgeMs
    queue.refreshTemplate(now, Math.min(this.queues.earliestExpiry, maxAgeReachedAt))
  }

  /**
   * The same for a session without a timeout of its own, if a glance shows that nobody is over; else it does nothing, and
   * gives `noSlot`.
   */
  tryFastInsert(id: string, value: T, clock: FullClock): Slot {
    const queue = this.defaultQueue
    // Asked here, as a fraction that is handed to a function takes an object on the way.
    const now = readClock(clock)
    if (!queue.template.isValidAt(now)) return noSlot
    return this.#insert(id, value, now, queue)
  }

  #insert(id: string, value: T, now: number, queue: TimeoutQueue): Slot {
    const { template } = queue
    template.now = now
    const slot = this.slots.allocateAndLink(id, value, template)
    this.byId.add(id, slot)
    queue.size += 1
    // Behind another one it makes no moment of its class earlier: so a creation seldom comes further than this.
    if (template.wasEmpty) this.queues.onFirstInsert(queue)
    if (this.ages !== undefined) this.ages.append(slot)
    return slot
  }

  /** Activity: the idle time starts again. One stored number, and rarely a move in a list. */
  touch(slot: Slot, now: number): void {
    this.slots.setLastActive(slot, now)
    const queue = this.queues.ofSlot(slot)
    if (!this.slots.isHeld(slot) && queue.needsRelink(slot, now)) queue.relink(slot, now)
  }

  /** {@link touch}, unless the session is over; says whether it lives. */
  touchLive(slot: Slot, now: number): boolean {
    if (this.isExpired(slot, now)) return false
    this.touch(slot, now)
    return true
  }

  /** Takes a session out of the idle order: it cannot end by time until {@link release}. */
  hold(slot: Slot): void {
    this.slots.unlink(slot)
    this.#held.append(slot)
    this.slots.setHeld(slot, true)
    this.#heldCount += 1
  }

  release(slot: Slot, now: number): void {
    this.slots.unlink(slot)
    this.slots.setHeld(slot, false)
    this.#heldCount -= 1
    this.slots.setLastActive(slot, now)
    this.queues.append(this.queues.ofSlot(slot), slot, now)
    // A sweep may have met it while it was held and past its age, and put it aside.
    if (this.ages === undefined || this.ages.has(slot)) return
    this.ages.prepend(slot)
    this.defaultQueue.template.validUntil = Number.NEGATIVE_INFINITY
  }

  isExpired(slot: Slot, now: number): boolean {
    if (this.slots.isHeld(slot)) return false
    return this.queues.ofSlot(slot).isExpired(slot, now) || this.#isPastMaxAge(slot, now)
  }

  /** Which of its two deadlines came first, of a session that is over. */
  expiryReason(slot: Slot): ExpiryReason {
    const idleDeadline = this.slots.lastActive(slot) + this.queues.ofSlot(slot).timeoutMs
    return this.slots.created(slot) + this.#maxAgeMs < idleDeadline ? 'age' : 'idle'
  }

  /** Whether {@link nextExpired} may find one: a look at the front of each list. */
  mayHaveExpired(now: number): boolean {
    const { oldest = noSlot } = this.ages ?? {}
    return this.queues.mayHaveExpired(now) || (oldest !== noSlot && this.#isPastMaxAge(oldest, now))
  }

  /**
   * A session that is over; `noSlot` where there is none; and now and then `scanPaused`, so that the caller can look at the
   * clock. The caller takes it out before it asks for the next. Anything may happen to the table between two of them.
   */
  nextExpired(now: number): ScanResult {
    const found = this.queues.nextExpired(now)
    return found === noSlot && this.ages !== undefined ? this.#nextPastMaxAge(this.ages, now) : found
  }

  /** The session to evict: the least recently active that is not held, to within one tick of its idle timeout. */
  get leastRecentlyActive(): Slot {
    return this.queues.leastRecentlyActive
  }

  /** As {@link TimeoutQueues.drain}. */
  drain(): Generator<Slot, undefined, undefined> {
    return this.queues.drain()
  }

  /**
   * Has all sessions taken out, one after another, by `take`.
   *
   * No id is found from the beginning: to forget all of them at once costs a fraction of forgetting each.
   */
  drainAll(remove: (slot: Slot) => void): void {
    const held = this.heldSlots()
    const generations = held.map((slot) => this.generation(slot))
    this.byId.clear()
    for (const slot of this.drain()) remove(slot)
    for (const [at, slot] of held.entries()) if (this.generation(slot) === generations[at]) remove(slot)
  }

  /** All sessions as they are now, least recently active first; held ones, which are in use, last. */
  snapshot(): Slot[] {
    const slots: Slot[] = []
    this.queues.appendTo(slots)
    // The lists are sorted to within a tick, so this is close to one pass; a stable sort keeps their exact order
    // where the clock stood still.
    slots.sort((a, b) => this.slots.lastActive(a) - this.slots.lastActive(b))
    this.#held.appendTo(slots)
    return slots
  }

  /** Gives a session another idle timeout, or the registry's; its idle time so far counts. */
  assignTimeout(slot: Slot, timeoutMs: number | undefined): void {
    const previous = this.queues.ofSlot(slot)
    const queue = this.queues.forTimeout(timeoutMs)
    if (queue === previous) return
    const isHeld = this.slots.isHeld(slot)
    if (!isHeld) this.slots.unlink(slot)
    this.slots.setQueueNumber(slot, queue.number)
    queue.size += 1
    this.queues.removeOneFrom(previous)
    if (!isHeld) this.queues.insertByActivity(queue, slot)
  }

  /** Takes a session out. */
  remove(slot: Slot): void {
    this.byId.remove(slot)
    this.slots.unlink(slot)
    this.ages?.remove(slot)
    if (this.slots.isHeld(slot)) this.#heldCount -= 1
    const queue = this.queues.ofSlot(slot)
    this.slots.free(slot)
    this.queues.removeOneFrom(queue)
  }

  #isPastMaxAge(slot: Slot, now: number): boolean {
    return this.slots.created(slot) + this.#maxAgeMs <= now
  }

  #nextPastMaxAge(ages: AgeList, now: number): ScanResult {
    for (let step = 0; step < maxStepsPerScan; step += 1) {
      const { oldest } = ages
      if (oldest === noSlot || !this.#isPastMaxAge(oldest, now)) return noSlot
      if (!this.slots.isHeld(oldest)) return oldest
      ages.remove(oldest)
    }
    return 'paused'
  }
}
