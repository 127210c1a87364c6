import { noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { LowerBoundHeap } from './lower-bound-heap.ts'
import type { ScanResult } from './scan.ts'
import { type Precision, TimeoutQueue } from './timeout-queue.ts'

/** Queues from which some sessions are taken: most registries have fewer distinct timeouts. */
const maxQueuesOfSome = 8

/**
 * The timeout queues of a table: one for each distinct timeout that a session has, and always that of the
 * registry. Node keeps its timers in the same way.
 *
 * ```
 *   by deadline                by activity          two lower-bound heaps of queues. A touch does not
 *        │ first(now)               │ first()         notify them: a bound may be early, never late.
 *        ▼                          ▼
 *   TimeoutQueue 20 min      TimeoutQueue 5 min …     one for each distinct timeout
 *        │
 *        ├─ ordered ▸ tick 7 · 7 · 7 · 8 · 9 · 9 ◂    appended by insertions, and by touches once per tick.
 *        │               │                            A scan stops at the first that cannot have expired.
 *        │               ▼ deferred, if active since it was appended
 *        └─ exact   ▸ tick 8.2 · 8.9 · 9.6 ◂          a heap by true last activity. No session is deferred
 *                                                     twice; a touch moves it to the end of `ordered`.
 *
 *   held sessions: in no queue      by age: AgeQueue, beside all this, in order of creation
 * ```
 *
 * Nothing scans the live sessions: a scan looks at those that expire, and once at each that was active
 * meanwhile.
 */
export class TimeoutQueues {
  readonly default: TimeoutQueue
  /**
   * The queue in which {@link nextExpired} found the last session. Each scan begins with the queue that is
   * due first.
   */
  #scanning: TimeoutQueue | undefined
  readonly #slots: SlotStore
  readonly #maxAgeMs: number
  readonly #precision: Precision
  readonly #byTimeout = new Map<number, TimeoutQueue>()
  readonly #byNumber: TimeoutQueue[] = []
  readonly #freeNumbers: number[] = []
  readonly #byDeadline = new LowerBoundHeap<TimeoutQueue>(({ earliestExpiry }) => earliestExpiry)
  readonly #byActivity: LowerBoundHeap<TimeoutQueue>
  /** The queue of sessions without an idle timeout, where there is one. */
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

  /** Returns the queue of a timeout, which is made if there is none; `undefined` for the registry's. */
  forTimeout(timeoutMs: number | undefined): TimeoutQueue {
    if (timeoutMs === undefined) return this.default
    return this.#byTimeout.get(timeoutMs) ?? this.#add(timeoutMs)
  }

  ofSlot(slot: Slot): TimeoutQueue {
    return this.#byNumber[this.#slots.queueNumber(slot)] as TimeoutQueue
  }

  /** The number of sessions without an idle timeout. */
  get neverExpiringCount(): number {
    return this.#neverExpiring?.size ?? 0
  }

  /** No session reaches its idle timeout before this instant. */
  get earliestExpiry(): number {
    return this.#byDeadline.lowestBound
  }

  /** Counts one session less with the timeout of a queue. A queue without any is dropped. */
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

  /** Lowers the bounds of a queue whose latest insertion is the only session in its order. */
  onFirstInsert(queue: TimeoutQueue): void {
    this.#byDeadline.decreaseKey(queue, queue.earliestExpiryOfInsert)
    this.#byActivity.decreaseKey(queue, queue.template.now)
    this.#capTemplate()
  }

  /** Adds a session to the order of its queue, as the most recently active one. */
  append(queue: TimeoutQueue, slot: Slot, now: number): void {
    if (queue.append(slot, now)) this.#lowerBounds(queue)
  }

  /** Adds a session to the order of its queue, by its own last activity. */
  insertByActivity(queue: TimeoutQueue, slot: Slot): void {
    queue.insertByActivity(slot)
    this.#lowerBounds(queue)
  }

  #lowerBounds(queue: TimeoutQueue): void {
    this.#byDeadline.decreaseKey(queue)
    this.#byActivity.decreaseKey(queue)
    this.#capTemplate()
  }

  /** Ends the validity of the default template where a session may expire earlier than was known. */
  #capTemplate(): void {
    const { template } = this.default
    template.validUntil = Math.min(template.validUntil, this.#byDeadline.lowestBound)
  }

  /** Reports whether {@link nextExpired} may find a session. Costs nothing. */
  mayHaveExpired(now: number): boolean {
    return this.#byDeadline.hasDueBy(now)
  }

  /** Returns an expired session, as {@link ScanResult} describes. */
  nextExpired(now: number): ScanResult {
    // The queue of the last session is likely to have the next, and the heap need not be asked.
    let found: ScanResult = this.#scanning?.nextExpired(now) ?? noSlot
    while (found === noSlot) {
      const queue = this.#byDeadline.first(now)
      this.#scanning = queue
      if (queue === undefined) return noSlot
      // A queue with nothing to find has deferred what made it the first.
      found = queue.nextExpired(now)
    }
    return found
  }

  /** The least recently active session, to within one tick of its queue. */
  get leastRecentlyActive(): Slot {
    return this.#byActivity.first()?.leastRecentlyActive ?? noSlot
  }

  /**
   * Yields each session that is not held, queue by queue, until there is none. The caller removes a session
   * before the next one. Anything may happen to the table between two of them.
   */
  *drain(): Generator<Slot, undefined, undefined> {
    // Again and again, since a session may have come into a queue that was done.
    for (let foundAny = true; foundAny; ) {
      foundAny = false
      for (const queue of this.#byTimeout.values()) {
        // A queue whose last session has gone is dropped and must not be used.
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

  /**
   * Appends all sessions, or some: those at the front of each queue, of few queues if there are very many.
   */
  appendTo(slots: Slot[], max: number): void {
    for (const queue of this.#byTimeout.values()) {
      if (slots.length > max * maxQueuesOfSome) return
      queue.appendTo(slots, max)
    }
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
