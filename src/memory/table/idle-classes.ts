import { ClassHeap } from './class-heap.ts'
import { IdleClass, type OrderKept } from './idle-class.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * The idle classes of a table: one for each timeout that some session has, and always one for the registry's own.
 *
 * What is over and who is the least recently active is asked of the class that comes first, so that a thousand different
 * timeouts cost no more than one; Node keeps its own timers in this way.
 */
export class IdleClasses<T> {
  readonly ofRegistry: IdleClass<T>
  /** Where {@link nextOver} found the last one, until it has found all: each walk begins with the soonest. */
  #walked: IdleClass<T> | undefined
  readonly #slots: SlotStore<T>
  readonly #maxAgeMs: number
  readonly #order: OrderKept
  readonly #byTimeout = new Map<number, IdleClass<T>>()
  readonly #byNumber: IdleClass<T>[] = []
  readonly #freeNumbers: number[] = []
  readonly #byDeadline = new ClassHeap<IdleClass<T>>(({ notOverBefore }) => notOverBefore)
  /** A class is sorted to within a granule, so behind its first session may be one that is older by less than that. */
  readonly #byActivity: ClassHeap<IdleClass<T>>
  /** The class of the sessions that never end for being idle, where there is one. */
  #endless: IdleClass<T> | undefined = undefined

  constructor(slots: SlotStore<T>, timeoutMs: number, maxAgeMs: number, order: OrderKept) {
    this.#slots = slots
    this.#maxAgeMs = maxAgeMs
    this.#order = order
    this.#byActivity = new ClassHeap(({ leastActive }) =>
      leastActive === noSlot ? Number.POSITIVE_INFINITY : slots.lastActive(leastActive),
    )
    this.ofRegistry = this.#add(timeoutMs)
  }

  /** The class of a timeout; `undefined` is the registry's own. */
  of(timeoutMs: number | undefined): IdleClass<T> {
    if (timeoutMs === undefined) return this.ofRegistry
    return this.#byTimeout.get(timeoutMs) ?? this.#add(timeoutMs)
  }

  /** The class of a session. */
  at(slot: number): IdleClass<T> {
    return this.#numbered(this.#slots.idleClass(slot))
  }

  #numbered(number: number): IdleClass<T> {
    return this.#byNumber[number] as IdleClass<T>
  }

  /** Sessions that never end for being idle. */
  get endlessCount(): number {
    return this.#endless?.size ?? 0
  }

  /** No session ends before this moment for being idle. */
  get notOverBefore(): number {
    return this.#byDeadline.bound
  }

  /** One session less has this timeout, whether it was in the order of activity or not. */
  leave(idleClass: IdleClass<T>): void {
    idleClass.size -= 1
    if (idleClass.size > 0 || idleClass === this.ofRegistry) return
    this.#byTimeout.delete(idleClass.timeoutMs)
    this.#byDeadline.remove(idleClass)
    this.#byActivity.remove(idleClass)
    this.#freeNumbers.push(idleClass.number)
    if (this.#endless === idleClass) this.#endless = undefined
    if (this.#walked === idleClass) this.#walked = undefined
    idleClass.drop()
  }

  /** The session that came last has nobody of its class before it: the moments of the class may have become earlier. */
  cameFirst(idleClass: IdleClass<T>): void {
    this.#byDeadline.mayBeEarlier(idleClass, idleClass.arrivalsNotOverBefore)
    this.#byActivity.mayBeEarlier(idleClass, idleClass.arrival.now)
    this.#boundArrivals()
  }

  /** The same of any other session. */
  mayBeEarlier(idleClass: IdleClass<T>): void {
    this.#byDeadline.mayBeEarlier(idleClass)
    this.#byActivity.mayBeEarlier(idleClass)
    this.#boundArrivals()
  }

  /** What was said of the time in which nobody can be over may hold no more. */
  #boundArrivals(): void {
    const { arrival } = this.ofRegistry
    arrival.until = Math.min(arrival.until, this.#byDeadline.bound)
  }

  /** Puts a session into the order of its class, as the most recently active. */
  append(idleClass: IdleClass<T>, slot: number, now: number): void {
    if (idleClass.append(slot, now)) this.mayBeEarlier(idleClass)
  }

  /** Puts a session into the order of its class, where its own last activity belongs. */
  insertByActivity(idleClass: IdleClass<T>, slot: number): void {
    idleClass.insertByActivity(slot)
    this.mayBeEarlier(idleClass)
  }

  /** Whether {@link nextOver} may find one; costs nothing. */
  mayHaveOver(now: number): boolean {
    return this.#byDeadline.hasBy(now)
  }

  /** A session that is over, or as {@link IdleClass.nextOver} says. */
  nextOver(now: number): number {
    // First in the class that had the last one: it is likely to have the next, and the heap need not be asked.
    let found = this.#walked?.nextOver(now) ?? noSlot
    while (found === noSlot) {
      const idleClass = this.#byDeadline.first(now)
      this.#walked = idleClass
      if (idleClass === undefined) return noSlot
      // With nothing found, the class has put aside what made it the first.
      found = idleClass.nextOver(now)
    }
    return found
  }

  /** The least recently active session, to within one granule of its own class. */
  get leastActive(): number {
    return this.#byActivity.first()?.leastActive ?? noSlot
  }

  /**
   * Each session that is not held, of one class after another, until there is none. The caller takes it out before it asks for
   * the next; anything may happen between two of them.
   */
  *drain(): Generator<number, undefined, undefined> {
    // Once more, as one may have come into a class that had been gone through.
    for (let isAny = true; isAny; ) {
      isAny = false
      for (const idleClass of this.#byTimeout.values()) {
        // A class whose last session has gone is dropped, and is not to be asked for another.
        while (idleClass.size > 0) {
          const slot = idleClass.leastActive
          if (slot === noSlot) break
          isAny = true
          yield slot
        }
      }
    }
    return undefined
  }

  collect(slots: number[]): void {
    for (const idleClass of this.#byTimeout.values()) idleClass.collect(slots)
  }

  #add(timeoutMs: number): IdleClass<T> {
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length
    const idleClass = new IdleClass<T>(this.#slots, number, {
      timeoutMs,
      maxAgeMs: this.#maxAgeMs,
      order: this.#order,
    })
    this.#byNumber[number] = idleClass
    this.#byTimeout.set(timeoutMs, idleClass)
    if (idleClass.isFinite) this.#byDeadline.add(idleClass)
    else this.#endless = idleClass
    this.#byActivity.add(idleClass)
    return idleClass
  }
}
