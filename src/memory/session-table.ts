import type { ExpiryReason } from '../core/end-reason.ts'
import { AgeList } from './age-list.ts'
import { type OrderKept, stepsPerBreath } from './idle-class.ts'
import { IdleClasses } from './idle-classes.ts'
import { SessionIndex } from './session-index.ts'
import { SessionList, unlink } from './session-list.ts'
import { AgingSessionRecord, SessionRecord, sessionState } from './session-record.ts'

/**
 * The sessions in memory: by id, in order of activity, and in order of age. Pure data: no timer, no event, no hook.
 *
 * Each record is in one list of activity: that of its idle class, or `held` while it is in use.
 */
export class SessionTable<T> {
  readonly defaultTimeoutMs: number
  readonly #maxAgeMs: number
  readonly #byId = new SessionIndex<SessionRecord<T>>()
  readonly #classes: IdleClasses<T>
  readonly #heldOnes: SessionList<T>
  readonly #ages: AgeList<T> | undefined
  #heldCount = 0

  constructor(timeoutMs: number, maxAgeMs: number, order: OrderKept = 'for-evictions') {
    this.defaultTimeoutMs = timeoutMs
    this.#maxAgeMs = maxAgeMs
    this.#classes = new IdleClasses(timeoutMs, order)
    const { ofRegistry } = this.#classes
    this.#heldOnes = new SessionList(new SessionRecord<T>('', undefined as T, ofRegistry, 0))
    if (maxAgeMs !== Number.POSITIVE_INFINITY) {
      this.#ages = new AgeList(new AgingSessionRecord<T>('', undefined as T, ofRegistry, 0))
    }
  }

  /** Sessions in the table: live ones, and those that are over and not yet taken out. */
  get size(): number {
    return this.#byId.size
  }

  get heldCount(): number {
    return this.#heldCount
  }

  /** Sessions that can end by time: with none of them there is nothing to sweep. */
  get expirableCount(): number {
    return this.#ages === undefined ? this.#classes.expirable : this.size
  }

  /** The record of an id, over or not. */
  find(id: string): SessionRecord<T> | undefined {
    return this.#byId.get(id)
  }

  /** The records, over or not, as they are now. */
  records(): SessionRecord<T>[] {
    return this.#byId.values()
  }

  /** The records in use, as they are now. */
  heldRecords(): SessionRecord<T>[] {
    return [...this.#heldOnes]
  }

  insert(id: string, value: T, timeoutMs: number | undefined, now: number): SessionRecord<T> {
    const idleClass = this.#classes.of(timeoutMs)
    const record =
      this.#ages === undefined
        ? new SessionRecord(id, value, idleClass, now)
        : new AgingSessionRecord(id, value, idleClass, now)
    this.#admit(record, now)
    return record
  }

  /** Takes back a record that was removed; its times start anew. */
  reinsert(record: SessionRecord<T>, now: number): void {
    record.idleClass = this.#classes.of(record.idleClass.timeoutMs)
    record.lastActive = now
    record.created = now
    this.#admit(record, now)
  }

  remove(record: SessionRecord<T>): void {
    this.#byId.delete(record.id)
    unlink(record)
    if (this.#ages !== undefined && record instanceof AgingSessionRecord) this.#ages.remove(record)
    if (record.state === sessionState.held) this.#heldCount -= 1
    this.#classes.leave(record.idleClass)
  }

  /** Activity: the idle time starts again. One stored number, and rarely a move in a list. */
  touch(record: SessionRecord<T>, now: number): void {
    record.lastActive = now
    const { idleClass } = record
    const ticks = Math.floor(now * idleClass.ticksPerMs) - record.linkedTick
    if (!(ticks < idleClass.ticksPerMove) && record.state === sessionState.active)
      idleClass.renew(record, now)
  }

  /** {@link touch}, unless the record is over: the hot path. */
  touchLive(record: SessionRecord<T>, now: number): boolean {
    const { idleClass } = record
    const ticks = Math.floor(now * idleClass.ticksPerMs) - record.linkedTick
    // Only where it may be over is the record read any further: each field less is a cache line less.
    if ((!(ticks < idleClass.safeTicks) || this.#ages !== undefined) && this.isOver(record, now)) return false
    record.lastActive = now
    if (!(ticks < idleClass.ticksPerMove) && record.state === sessionState.active)
      idleClass.renew(record, now)
    return true
  }

  /** Takes a record out of the idle order: it cannot end by time until {@link release}. */
  hold(record: SessionRecord<T>): void {
    unlink(record)
    this.#heldOnes.append(record)
    this.#heldCount += 1
  }

  release(record: SessionRecord<T>, now: number): void {
    unlink(record)
    this.#heldCount -= 1
    record.lastActive = now
    this.#classes.append(record, now)
    // A sweep may have met it while it was held and past its age, and put it aside.
    if (this.#ages !== undefined && record instanceof AgingSessionRecord && !this.#ages.has(record)) {
      this.#ages.prepend(record)
    }
  }

  isOver(record: SessionRecord<T>, now: number): boolean {
    if (record.state === sessionState.held) return false
    return record.idleClass.isOver(record, now) || record.created + this.#maxAgeMs <= now
  }

  /** Which of its two deadlines came first, of a record that is over. */
  expiryReason(record: SessionRecord<T>): ExpiryReason {
    return record.created + this.#maxAgeMs < record.lastActive + record.idleClass.timeoutMs ? 'age' : 'idle'
  }

  /** Whether {@link over} may find one: a look at the front of each list. */
  mayHaveOver(now: number): boolean {
    if (this.#classes.mayHaveOver(now)) return true
    const oldest = this.#ages?.oldest
    return oldest !== undefined && oldest.created + this.#maxAgeMs <= now
  }

  /**
   * The records that are over, one after another; `undefined` now and then, so that the caller can look at the clock.
   *
   * The caller removes each before it asks for the next. Anything may happen to the table between two of them.
   */
  *over(now: number): Generator<SessionRecord<T> | undefined, void, undefined> {
    yield* this.#classes.over(now)
    const ages = this.#ages
    if (ages === undefined) return
    let steps = 0
    for (let oldest = ages.oldest; oldest !== undefined; oldest = ages.oldest) {
      if (oldest.created + this.#maxAgeMs > now) return
      if (oldest.state === sessionState.held) {
        ages.remove(oldest)
        steps += 1
        if (steps % stepsPerBreath === 0) yield undefined
      } else {
        yield oldest
      }
    }
  }

  /** The session to evict: the least recently active that is not held, to within one granule of its idle timeout. */
  get leastActive(): SessionRecord<T> | undefined {
    return this.#classes.leastActive
  }

  /** All records as they are now, least recently active first; held ones, which are in use, last. */
  snapshot(): SessionRecord<T>[] {
    const idle = [...this.#classes]
    // The lists are sorted to within a granule, so this is close to one pass; a stable sort keeps their exact order
    // where the clock stood still.
    idle.sort((a, b) => a.lastActive - b.lastActive)
    for (const record of this.#heldOnes) idle.push(record)
    return idle
  }

  /** Gives a record another idle timeout, or the registry's; its idle time so far counts. */
  assignTimeout(record: SessionRecord<T>, timeoutMs: number | undefined): void {
    const former = record.idleClass
    const idleClass = this.#classes.of(timeoutMs)
    if (idleClass === former) return
    record.idleClass = idleClass
    this.#classes.enter(idleClass)
    this.#classes.leave(former)
    if (record.state === sessionState.held) return
    unlink(record)
    this.#classes.insertByActivity(record)
  }

  #admit(record: SessionRecord<T>, now: number): void {
    this.#byId.add(record.id, record)
    this.#classes.enter(record.idleClass)
    this.#classes.append(record, now)
    if (this.#ages !== undefined && record instanceof AgingSessionRecord) this.#ages.append(record)
  }
}
