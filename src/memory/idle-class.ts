import { LateLists } from './late-lists.ts'
import { SessionList, unlink } from './session-list.ts'
import { SessionRecord } from './session-record.ts'

/** How many records may be put elsewhere before a walk stops to let its caller look at the clock. */
export const stepsPerBreath = 64

/** A 128th of the timeout keeps moves rare and the order good to within one percent. */
const granulesPerTimeout = 128

/** No coarser than this, so that eviction stays sensible where timeouts are hours or days. */
const maxGranuleMs = 10_000

/** No finer than this: with it, even an absurdly short timeout gives ticks that a number holds exactly. */
const minGranuleMs = 2 ** -10

/** Where nobody is evicted the order matters to sweeps only, and a session moves once in so many granules. */
const granulesPerSeldomMove = 8

/** How well a class keeps the order of activity: to within a granule, for evictions, or as well as sweeps need it. */
export type OrderKept = 'for-evictions' | 'for-sweeps'

/**
 * All sessions of one idle timeout, in order of their last activity to within one granule.
 *
 * A touch only writes `lastActive`; a record moves to the end of the list at most once per granule, and once in several
 * where nobody is evicted. So the list is sorted by `linkedTick`, the granule of the last move, and a record cannot be
 * over before the start of that granule plus the timeout: a walk from the front stops at the first that cannot be over.
 *
 * A record that was in use in a later granule than that of its last move goes to the list of that later granule.
 * A record that could be over by its granule and is not by its exact time waits in `soon`, for two granules at most,
 * and `soon` is looked through only when the earliest of its deadlines has come. Nothing scans the live sessions.
 */
export class IdleClass<T> {
  // Declared only, as the numbers of a record: each touch reads them.
  declare readonly timeoutMs: number
  /** Infinity has no granules: `tickOf` is then `NaN`, which equals no tick, and every touch moves the record. */
  declare readonly ticksPerMs: number
  /** A record that was put in its place fewer granules ago than this is not over, whatever its exact time. */
  declare readonly safeTicks: number
  /** A record that was put in its place so many granules ago moves at its next touch. */
  declare readonly ticksPerMove: number
  readonly #granuleMs: number
  readonly #ordered: SessionList<T>
  readonly #late: LateLists<T>
  readonly #soon: SessionList<T>
  /** What was `soon` when a walk began and has not been looked at yet; a walk that was cut short leaves it to the next. */
  readonly #checking: SessionList<T>
  #soonEarliest = Number.POSITIVE_INFINITY
  /** Sessions of this class in the table, held ones included. */
  size = 0

  constructor(timeoutMs: number, order: OrderKept = 'for-evictions') {
    this.timeoutMs = timeoutMs
    this.#granuleMs = Math.max(minGranuleMs, Math.min(timeoutMs / granulesPerTimeout, maxGranuleMs))
    this.ticksPerMs = timeoutMs === Number.POSITIVE_INFINITY ? Number.NaN : 1 / this.#granuleMs
    // One for the granule that has begun, one for the rounding of ticks.
    this.safeTicks = Math.floor(timeoutMs / this.#granuleMs) - 2
    this.ticksPerMove = order === 'for-evictions' ? 1 : granulesPerSeldomMove
    this.#ordered = this.#newList()
    this.#late = new LateLists(() => this.#newList())
    this.#soon = this.#newList()
    this.#checking = this.#newList()
  }

  get isFinite(): boolean {
    return this.timeoutMs !== Number.POSITIVE_INFINITY
  }

  /** Adds a record at the end, as the most recently active. */
  append(record: SessionRecord<T>, now: number): void {
    record.linkedTick = this.#tickOf(now)
    this.#ordered.append(record)
  }

  /** Adds a record where its own last activity belongs. */
  insertByActivity(record: SessionRecord<T>): void {
    record.linkedTick = this.#tickOf(record.lastActive)
    let place = this.#ordered.last
    while (place !== undefined && comesBefore(record, place)) place = this.#ordered.before(place)
    this.#ordered.insertAfter(record, place)
  }

  /** Moves a record to the end, as the most recently active. */
  renew(record: SessionRecord<T>, now: number): void {
    unlink(record)
    this.append(record, now)
  }

  isOver(record: SessionRecord<T>, now: number): boolean {
    // The sum, as timers are set by it, and not the difference, which may round to less than the timeout.
    return record.lastActive + this.timeoutMs <= now
  }

  /** No session of the class is over before this moment. */
  get notOverBefore(): number {
    if (this.#checking.first !== undefined) return Number.NEGATIVE_INFINITY
    const first = this.#firstLinked
    return first === undefined ? this.#soonEarliest : Math.min(this.#soonEarliest, this.#earliestEnd(first))
  }

  /**
   * The records that are over, one after another; `undefined` now and then, so that the caller can look at the clock.
   *
   * The caller takes each record out before it asks for the next. Anything may happen between two of them.
   */
  *over(now: number): Generator<SessionRecord<T> | undefined, void, undefined> {
    if (!this.isFinite) return
    if (now >= this.#soonEarliest) {
      this.#checking.takeAll(this.#soon)
      this.#soonEarliest = Number.POSITIVE_INFINITY
    }
    let steps = 0
    for (;;) {
      const first = this.#checking.first ?? this.#firstLinked
      if (first === undefined || !this.#couldBeOver(first, now)) return
      if (this.isOver(first, now)) {
        yield first
      } else {
        this.#putAside(first)
        steps += 1
        if (steps % stepsPerBreath === 0) yield undefined
      }
    }
  }

  get firstOrdered(): SessionRecord<T> | undefined {
    return this.#ordered.first
  }

  /** The least recently active record, to within one granule; exactly without a timeout. */
  get leastActive(): SessionRecord<T> | undefined {
    let least: SessionRecord<T> | undefined
    for (const first of [this.#firstLinked, this.#soon.first, this.#checking.first]) {
      if (first !== undefined && (least === undefined || first.lastActive < least.lastActive)) least = first
    }
    return least
  }

  *[Symbol.iterator](): Generator<SessionRecord<T>, void, undefined> {
    yield* this.#checking
    yield* this.#soon
    yield* this.#late
    yield* this.#ordered
  }

  /** The record of the earliest granule. */
  get #firstLinked(): SessionRecord<T> | undefined {
    const late = this.#late.first
    const ordered = this.#ordered.first
    if (late === undefined || ordered === undefined) return late ?? ordered
    return late.linkedTick < ordered.linkedTick ? late : ordered
  }

  /** A record that could be over by its granule, and is not. */
  #putAside(record: SessionRecord<T>): void {
    unlink(record)
    const tick = this.#tickOf(record.lastActive)
    if (tick > record.linkedTick) {
      record.linkedTick = tick
      this.#late.add(record)
    } else {
      this.#soonEarliest = Math.min(this.#soonEarliest, record.lastActive + this.timeoutMs)
      this.#soon.append(record)
    }
  }

  #tickOf(moment: number): number {
    return this.isFinite ? Math.floor(moment * this.ticksPerMs) : 0
  }

  #couldBeOver(record: SessionRecord<T>, now: number): boolean {
    return this.#earliestEnd(record) <= now
  }

  #earliestEnd(record: SessionRecord<T>): number {
    if (!this.isFinite) return Number.POSITIVE_INFINITY
    // One granule early, so that the rounding of a tick never hides a session that is over to the very millisecond.
    return (record.linkedTick - 1) * this.#granuleMs + this.timeoutMs
  }

  #newList(): SessionList<T> {
    return new SessionList(new SessionRecord<T>('', undefined as T, this, 0))
  }
}

function comesBefore<T>(record: SessionRecord<T>, other: SessionRecord<T>): boolean {
  // By granule first: between two granules the list must stay sorted whatever the exact times are.
  if (record.linkedTick !== other.linkedTick) return record.linkedTick < other.linkedTick
  return record.lastActive < other.lastActive
}
