import { noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { LowerBoundHeap } from './lower-bound-heap.ts'
import type { ScanResult } from './scan.ts'
import { type Precision, TimeoutQueue } from './timeout-queue.ts'

/**
 * The timeout queues of a table: one for each timeout that some session has, and always one for the registry's own.
 *
 * What is over and who is the least recently active is asked of the queue that comes first, so that a thousand different
 * timeouts cost no more than one; Node keeps its own timers in this way.
 */
export class TimeoutQueues {
  readonly default: TimeoutQueue
  /** Where {@link nextExpired} found the last one, until it has found all: each walk begins with the soonest. */
  #scanning: TimeoutQueue | undefined
  readonly #slots: SlotStore
  readonly #maxAgeMs: number
  readonly #precision: Precision
  readonly #byTimeout = new Map<number, TimeoutQueue>()
  readonly #byNumber: TimeoutQueue[] = []
  readonly #freeNumbers: number[] = []
  readonly #byDeadline = new LowerBoundHeap<TimeoutQueue>(({ earliestExpiry }) => earliestExpiry)
  /** A queue is sorted to within a tick, so behind its first session may be one that is older by less than that. */
  readonly #byActivity: LowerBoundHeap<TimeoutQueue>
  /** The queue of the sessions that never end for being idle, where there is one. */
  #neverExpiring: TimeoutQueue | undefined = undefined

  constructor(slots: SlotStore, timeoutMs: number, maxAgeMs: number, precision: Precision) {
    this.#slots = slots
    this.#maxAgeMs = maxAgeMs
    this.#precision = precision
    this.#byActivity = new LowerBoundHeap(({ leastRecentlyActive }) =>
      leastRecentlyActive === noSlot ? Number.POSITIVE_INFINITY : slots.lastActive(leastRecentlyActive),
    )
    this.default = this.#add(timeoutMs)
  }

  /** The queue of a timeout; `undefined` is the registry's own. */
  forTimeout(timeoutMs: number | undefined): TimeoutQueue {
    if (timeoutMs === undefined) return this.default
    return this.#byTimeout.get(timeoutMs) ?? this.#add(timeoutMs)
  }

  /** The queue of a session. */
  ofSlot(slot: Slot): TimeoutQueue {
    return this.#queueAt(this.#slots.queueNumber(slot))
  }

  #queueAt(number: number): TimeoutQueue {
    return this.#byNumber[number] as TimeoutQueue
  }

  /** Sessions that never end for being idle. */
  get neverExpiringCount(): number {
    return this.#neverExpiring?.size ?? 0
  }

  /** No session ends before this moment for being idle. */
  get earliestExpiry(): number {
    return this.#byDeadline.lowestBound
  }

  /** One session less has this timeout, whether it was in the order of activity or not. */
  removeOneFrom(queue: TimeoutQueue): void {
    queue.size -= 1
    if (queue.size > 0 || queue === this.default) return
    this.#byTimeout.delete(queue.timeoutMs)
    this.#byDeadline.remove(queue)
    this.#byActivity.remove(queue)
    this.#freeNumbers.push(queue.number)
    if (this.#neverExpiring === queue) this.#neverExpiring = undefined
    if (this.#scanning === queue) this.#scanning = undefined
    queue.dispose()
  }

  /** The session that came last has nobody of its queue before it: the moments of the queue may have become earlier. */
  onFirstInsert(queue: TimeoutQueue): void {
    this.#byDeadline.decreaseKey(queue, queue.earliestExpiryOfInsert)
    this.#byActivity.decreaseKey(queue, queue.template.now)
    this.#capTemplate()
  }

  /** The same of any other session. */
  decreaseKey(queue: TimeoutQueue): void {
    this.#byDeadline.decreaseKey(queue)
    this.#byActivity.decreaseKey(queue)
    this.#capTemplate()
  }

  /** What was said of the time in which nobody can be over may hold no more. */
  #capTemplate(): void {
    const { template } = this.default
    template.validUntil = Math.min(template.validUntil, this.#byDeadline.lowestBound)
  }

  /** Puts a session into the order of its queue, as the most recently active. */
  append(queue: TimeoutQueue, slot: Slot, now: number): void {
    if (queue.append(slot, now)) this.decreaseKey(queue)
  }

  /** Puts a session into the order of its queue, where its own last activity belongs. */
  insertByActivity(queue: TimeoutQueue, slot: Slot): void {
    queue.insertByActivity(slot)
    this.decreaseKey(queue)
  }

  /** Whether {@link nextExpired} may find one; costs nothing. */
  mayHaveExpired(now: number): boolean {
    return this.#byDeadline.hasDueBy(now)
  }

  /** A session that is over, or as {@link TimeoutQueue.nextExpired} says. */
  nextExpired(now: number): ScanResult {
    // First in the queue that had the last one: it is likely to have the next, and the heap need not be asked.
    let found: ScanResult = this.#scanning?.nextExpired(now) ?? noSlot
    while (found === noSlot) {
      const queue = this.#byDeadline.first(now)
      this.#scanning = queue
      if (queue === undefined) return noSlot
      // With nothing found, the queue has put aside what made it the first.
      found = queue.nextExpired(now)
    }
    return found
  }

  /** The least recently active session, to within one tick of its own queue. */
  get leastRecentlyActive(): Slot {
    return this.#byActivity.first()?.leastRecentlyActive ?? noSlot
  }

  /**
   * Each session that is not held, of one queue after another, until there is none. The caller takes it out before it asks for
   * the next; anything may happen between two of them.
   */
  *drain(): Generator<Slot, undefined, undefined> {
    // Once more, as one may have come into a queue that had been gone through.
    for (let foundAny = true; foundAny; ) {
      foundAny = false
      for (const queue of this.#byTimeout.values()) {
        // A queue whose last session has gone is dropped, and is not to be asked for another.
        while (queue.size > 0) {
          const slot = queue.leastRecentlyActive
          if (slot === noSlot) break
          foundAny = true
          yield slot
        }
      }
    }
    return undefined
  }

  appendTo(slots: Slot[]): void {
    for (const queue of this.#byTimeout.values()) queue.appendTo(slots)
  }

  #add(timeoutMs: number): TimeoutQueue {
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length
    const queue = new TimeoutQueue(this.#slots, number, {
      timeoutMs,
      maxAgeMs: this.#maxAgeMs,
      precision: this.#precision,
    })
    this.#byNumber[number] = queue
    this.#byTimeout.set(timeoutMs, queue)
    if (queue.isFinite) this.#byDeadline.add(queue)
    else this.#neverExpiring = queue
    this.#byActivity.add(queue)
    return queue
  }
}
