import { ClassHeap } from './class-heap.ts'
import { IdleClass, type OrderKept } from './idle-class.ts'
import type { SessionRecord } from './session-record.ts'

/**
 * The idle classes of a table: one for each timeout that some session has, and always one for the registry's own.
 *
 * What is over and who is the least recently active is asked of the class that comes first, so that a thousand different
 * timeouts cost no more than one; Node keeps its own timers in this way.
 */
export class IdleClasses<T> {
  readonly ofRegistry: IdleClass<T>
  readonly #order: OrderKept
  readonly #byTimeout = new Map<number, IdleClass<T>>()
  readonly #byDeadline = new ClassHeap<T>(({ notOverBefore }) => notOverBefore)
  /** A class is sorted to within a granule, so behind its first session may be one that is older by less than that. */
  readonly #byActivity = new ClassHeap<T>(
    ({ leastActive }) => leastActive?.lastActive ?? Number.POSITIVE_INFINITY,
  )
  /** Sessions that have a finite timeout. */
  expirable = 0

  constructor(timeoutMs: number, order: OrderKept = 'for-evictions') {
    this.#order = order
    this.ofRegistry = this.#add(timeoutMs)
  }

  /** The class of a timeout; `undefined` is the registry's own. */
  of(timeoutMs: number | undefined): IdleClass<T> {
    if (timeoutMs === undefined) return this.ofRegistry
    return this.#byTimeout.get(timeoutMs) ?? this.#add(timeoutMs)
  }

  /** One session more has this timeout, whether it is in the order of activity or not. */
  enter(idleClass: IdleClass<T>): void {
    idleClass.size += 1
    if (idleClass.isFinite) this.expirable += 1
  }

  leave(idleClass: IdleClass<T>): void {
    idleClass.size -= 1
    if (idleClass.isFinite) this.expirable -= 1
    if (idleClass.size > 0 || idleClass === this.ofRegistry) return
    this.#byTimeout.delete(idleClass.timeoutMs)
    this.#byDeadline.remove(idleClass)
    this.#byActivity.remove(idleClass)
  }

  /** Puts a record into the order of its class, as the most recently active. */
  append(record: SessionRecord<T>, now: number): void {
    record.idleClass.append(record, now)
    this.#tell(record)
  }

  /** Puts a record into the order of its class, where its own last activity belongs. */
  insertByActivity(record: SessionRecord<T>): void {
    record.idleClass.insertByActivity(record)
    this.#tell(record)
  }

  /** Whether {@link over} may find one; costs nothing. */
  mayHaveOver(now: number): boolean {
    return this.#byDeadline.first(now) !== undefined
  }

  /** The records that are over, as {@link IdleClass.over} gives them. */
  *over(now: number): Generator<SessionRecord<T> | undefined, void, undefined> {
    for (;;) {
      const idleClass = this.#byDeadline.first(now)
      if (idleClass === undefined) return
      yield* idleClass.over(now)
    }
  }

  /** The least recently active record, to within one granule of its own class. */
  get leastActive(): SessionRecord<T> | undefined {
    return this.#byActivity.first()?.leastActive
  }

  *[Symbol.iterator](): Generator<SessionRecord<T>, void, undefined> {
    for (const idleClass of this.#byTimeout.values()) yield* idleClass
  }

  #add(timeoutMs: number): IdleClass<T> {
    const idleClass = new IdleClass<T>(timeoutMs, this.#order)
    this.#byTimeout.set(timeoutMs, idleClass)
    if (idleClass.isFinite) this.#byDeadline.add(idleClass)
    this.#byActivity.add(idleClass)
    return idleClass
  }

  #tell(record: SessionRecord<T>): void {
    const { idleClass } = record
    // Behind another one it makes no moment of its class earlier: so a creation seldom comes further than this.
    if (idleClass.firstOrdered !== record) return
    this.#byDeadline.mayBeEarlier(idleClass)
    this.#byActivity.mayBeEarlier(idleClass)
  }
}
