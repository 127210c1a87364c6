import { type ExpiryReason, expiryReason } from '../../core/end-reason.ts'
import { type FullClock, readClock } from '../../core/time/clock.ts'
import { AgeQueue } from './expiry/age-queue.ts'
import type { ScanResult } from './expiry/scan.ts'
import type { Precision, TimeoutQueue } from './expiry/timeout-queue.ts'
import { TimeoutQueues } from './expiry/timeout-queues.ts'
import { IdIndex } from './index/id-index.ts'
import { noSlot, type Slot } from './layout.ts'
import { SlotList } from './slots/slot-list.ts'
import { SlotStore } from './slots/slot-store.ts'

export type { ScanResult } from './expiry/scan.ts'
export { noSlot, type Slot } from './layout.ts'

/**
 * The memory of a table, for the fast path alone, which reads and writes it without a call. `layout.ts` draws
 * it.
 */
export interface FastPathAccess {
  /** The slots by id, as long as one `Map` holds them. It stays the same object. */
  readonly map: ReadonlyMap<string, Slot>
  /**
   * Finds the slot of an id that is not in the `Map`, or of another id with the same hash; `noSlot` if there
   * is none.
   */
  readonly index: { candidateInHashIndex(id: string): Slot }
  readonly pages: readonly ({ readonly times: Float64Array; readonly refs: unknown[] } | undefined)[]
}

/**
 * The sessions in memory: by id, in order of activity, and in order of age.
 *
 * ```
 *                  SessionTable               the only door: outside this folder, only this file is imported,
 *        ┌──────────────┼──────────────┐      and `layout.ts` by the fast path
 *     index/         slots/         expiry/
 *     WHICH          WHERE          WHEN
 *     id → slot      slot → what    what expires or is evicted next: a queue for each distinct
 *     Map, then      it holds:      timeout under lower-bound heaps, and a queue by age
 *     hash index     a slab         `index/` and `expiry/` use `slots/`; all use `layout.ts`,
 *                    allocator      which draws a slot
 * ```
 *
 * The table is pure data: no timer, no event, no hook. A session is a slot, which is a number, from its
 * insertion to its removal. A slot is in one list of activity: that of its timeout queue or, while the
 * session is in use, `held`. It may have a record, an object that means nothing here.
 */
export class SessionTable<T, R extends object> {
  // Declared only, and not `#private`: V8 then knows their types from the first use.
  declare private readonly slots: SlotStore
  declare private readonly byId: IdIndex
  declare private readonly queues: TimeoutQueues
  declare private readonly defaultQueue: TimeoutQueue
  declare private readonly ages: AgeQueue | undefined
  readonly #held: SlotList
  #heldCount = 0

  constructor(timeoutMs: number, maxAgeMs: number, precision: Precision = 'for-evictions') {
    this.slots = new SlotStore()
    this.byId = new IdIndex(this.slots)
    this.#held = new SlotList(this.slots)
    this.queues = new TimeoutQueues(this.slots, timeoutMs, maxAgeMs, precision)
    this.defaultQueue = this.queues.default
    this.ages = maxAgeMs === Number.POSITIVE_INFINITY ? undefined : new AgeQueue(this.slots, maxAgeMs)
  }

  get fastPath(): FastPathAccess {
    return { map: this.byId.map, index: this.byId, pages: this.slots.pages }
  }

  /** The number of sessions, expired ones that were not removed yet included. */
  get size(): number {
    return this.byId.size
  }

  get heldCount(): number {
    return this.#heldCount
  }

  /** The number of sessions that can expire. Without any there is nothing to sweep. */
  get expirableCount(): number {
    return this.ages === undefined ? this.size - this.queues.neverExpiringCount : this.size
  }

  /** Returns the slot of an id, expired or not; `noSlot` if there is none. */
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

  /** The number that tells apart the sessions that had one slot. */
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

  record(slot: Slot): R | undefined {
    return this.slots.record(slot) as R | undefined
  }

  setRecord(slot: Slot, record: R): void {
    this.slots.setRecord(slot, record)
  }

  /**
   * Adds a session under an id that is not in the table. `timeoutMs`: `undefined` for that of the registry.
   */
  insert(id: string, value: T, timeoutMs: number | undefined, now: number): Slot {
    const queue = this.queues.forTimeout(timeoutMs)
    if (!queue.template.isValidAt(now)) {
      const earliestByAge = this.ages?.earliestExpiry ?? Number.POSITIVE_INFINITY
      queue.refreshTemplate(now, Math.min(this.queues.earliestExpiry, earliestByAge))
    }
    return this.#insert(id, value, now, queue)
  }

  /**
   * Adds a session with the timeout of the registry. Returns `noSlot`, and does nothing, if any session may
   * have expired or a tick has ended.
   */
  tryFastInsert(id: string, value: T, clock: FullClock): Slot {
    const queue = this.defaultQueue
    // Read here: a fraction that is passed to a function is allocated.
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
    // Behind another session it changes no bound of its queue.
    if (template.wasEmpty) this.queues.onFirstInsert(queue)
    if (this.ages !== undefined) this.ages.append(slot)
    return slot
  }

  /** Sets the time of the creation of a session that is older than its slot. */
  setCreated(slot: Slot, created: number): void {
    this.slots.setCreated(slot, created)
    const deadline = this.ages?.reinsert(slot) ?? Number.POSITIVE_INFINITY
    const { template } = this.defaultQueue
    template.validUntil = Math.min(template.validUntil, deadline)
  }

  /** Removes a session. Its slot is free for another one. */
  remove(slot: Slot): void {
    this.byId.remove(slot)
    this.slots.unlink(slot)
    this.ages?.remove(slot)
    if (this.slots.isHeld(slot)) this.#heldCount -= 1
    const queue = this.queues.ofSlot(slot)
    this.slots.free(slot)
    this.queues.removeOneFrom(queue)
  }

  /** Restarts the idle time: writes one number and, rarely, moves the session in its queue. */
  touch(slot: Slot, now: number): void {
    this.slots.setLastActive(slot, now)
    const queue = this.queues.ofSlot(slot)
    if (!this.slots.isHeld(slot) && queue.needsRelink(slot, now)) queue.relink(slot, now)
  }

  /** Touches a session unless it has expired. Returns whether it is live. */
  touchLive(slot: Slot, now: number): boolean {
    if (this.isExpired(slot, now)) return false
    this.touch(slot, now)
    return true
  }

  /** Takes a session out of its queue: it does not expire until {@link release}. */
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
    // A scan that met it while it was held past its age has taken it out.
    if (this.ages === undefined || this.ages.has(slot)) return
    this.ages.prepend(slot)
    this.defaultQueue.template.validUntil = Number.NEGATIVE_INFINITY
  }

  /**
   * Sets the idle timeout of a session; `undefined` for that of the registry. Its idle time so far counts.
   */
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

  isExpired(slot: Slot, now: number): boolean {
    if (this.slots.isHeld(slot)) return false
    if (this.queues.ofSlot(slot).isExpired(slot, now)) return true
    return this.ages !== undefined && this.ages.deadlineOf(slot) <= now
  }

  /** Returns which deadline of an expired session came first. */
  expiryReason(slot: Slot): ExpiryReason {
    const idleDeadline = this.slots.lastActive(slot) + this.timeoutMs(slot)
    return this.ages === undefined ? 'idle' : expiryReason(idleDeadline, this.ages.deadlineOf(slot))
  }

  /** Reports whether {@link nextExpired} may find a session, by a look at the front of each queue. */
  mayHaveExpired(now: number): boolean {
    return this.queues.mayHaveExpired(now) || (this.ages !== undefined && this.ages.earliestExpiry <= now)
  }

  /** Returns an expired session, as {@link ScanResult} describes. */
  nextExpired(now: number): ScanResult {
    const found = this.queues.nextExpired(now)
    return found === noSlot && this.ages !== undefined ? this.ages.nextExpired(now) : found
  }

  /**
   * The session to evict: the least recently active one that is not held, to within one tick of its timeout.
   */
  get leastRecentlyActive(): Slot {
    return this.queues.leastRecentlyActive
  }

  /** Yields each session that is not held, as {@link TimeoutQueues.drain} describes. */
  drain(): Generator<Slot, undefined, undefined> {
    return this.queues.drain()
  }

  /**
   * Passes each session to `remove`, which removes it. No id is found from the start: clearing the index once
   * is cheap.
   */
  drainAll(remove: (slot: Slot) => void): void {
    const held = this.heldSlots()
    const generations = held.map((slot) => this.generation(slot))
    this.byId.clear()
    for (const slot of this.drain()) remove(slot)
    for (const [at, slot] of held.entries()) if (this.generation(slot) === generations[at]) remove(slot)
  }

  heldSlots(): Slot[] {
    return this.#held.appendTo([])
  }

  /**
   * Returns the sessions, or the first `max` of each kind: the least recently active first, then held ones.
   */
  snapshot(max = Number.POSITIVE_INFINITY): Slot[] {
    const slots: Slot[] = []
    this.queues.appendTo(slots, max)
    // Queues are nearly sorted, so this is close to one pass. A stable sort keeps their order within one
    // instant.
    slots.sort((a, b) => this.slots.lastActive(a) - this.slots.lastActive(b))
    slots.length = Math.min(slots.length, max)
    return this.#held.appendTo(slots, max)
  }
}
