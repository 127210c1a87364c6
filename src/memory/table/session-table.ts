import { type FullClock, nowOf } from '../../core/clock.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import type { SessionUse } from '../session-use.ts'
import { AgeList } from './age-list.ts'
import { breath, type IdleClass, type OrderKept, stepsPerBreath } from './idle-class.ts'
import { IdleClasses } from './idle-classes.ts'
import { SessionIndex } from './session-index.ts'
import { type RecordHome, SessionRecord } from './session-record.ts'
import { SlotList } from './slot-list.ts'
import { noSlot } from './slot-page.ts'
import { SlotStore } from './slot-store.ts'

/**
 * The sessions in memory: by id, in order of activity, and in order of age. Pure data: no timer, no event, no hook.
 *
 * A session is a slot here, which is a number that is its own until it leaves; `noSlot` is none. Each is in one list of
 * activity: that of its idle class, or `held` while it is in use. Who holds on to a session beyond the present step takes
 * its {@link SessionRecord}.
 */
export class SessionTable<T> implements RecordHome<T> {
  readonly slots = new SlotStore<T>()
  readonly byId = new SessionIndex<T>(this.slots)
  declare readonly classes: IdleClasses<T>
  readonly #maxAgeMs: number
  declare private readonly ofRegistry: IdleClass<T>
  readonly #heldOnes = new SlotList<T>(this.slots)
  declare private readonly ages: AgeList | undefined
  #heldCount = 0

  constructor(timeoutMs: number, maxAgeMs: number, order: OrderKept = 'for-evictions') {
    this.#maxAgeMs = maxAgeMs
    this.classes = new IdleClasses(this.slots, timeoutMs, maxAgeMs, order)
    this.ofRegistry = this.classes.ofRegistry
    this.ages = maxAgeMs === Number.POSITIVE_INFINITY ? undefined : new AgeList()
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
    return this.ages === undefined ? this.size - this.classes.endlessCount : this.size
  }

  /** The session of an id, over or not. */
  find(id: string): number {
    return this.byId.find(id)
  }

  idOf(slot: number): string {
    return this.slots.idOf(slot)
  }

  valueOf(slot: number): T {
    return this.slots.valueOf(slot)
  }

  assign(slot: number, value: T): void {
    this.slots.setValue(slot, value)
  }

  isHeld(slot: number): boolean {
    return this.slots.isHeld(slot)
  }

  /** Tells apart the sessions that have one slot one after another. */
  life(slot: number): number {
    return this.slots.life(slot)
  }

  /** Who uses the session of an id at present. */
  useOf(id: string): SessionUse<T> | undefined {
    const slot = this.find(id)
    return slot === noSlot ? undefined : this.slots.recordOf(slot)?.use
  }

  /** The session as an object: made when it is first asked for, and the same from then on. */
  recordOf(slot: number): SessionRecord<T> {
    let record = this.slots.recordOf(slot)
    if (record === undefined) {
      record = new SessionRecord(this.slots.idOf(slot), slot, this)
      this.slots.setRecord(slot, record)
    }
    return record
  }

  /** The sessions in use, as they are now. */
  heldRecords(): SessionRecord<T>[] {
    const slots: number[] = []
    this.#heldOnes.collect(slots)
    return slots.map((slot) => this.recordOf(slot))
  }

  insert(id: string, value: T, timeoutMs: number | undefined, now: number): number {
    const idleClass = this.classes.of(timeoutMs)
    if (!idleClass.arrival.holdsAt(now)) this.#prepareArrivals(idleClass, now)
    return this.#bear(id, value, now, idleClass)
  }

  /** Until the first deadline that could come, or shorter. */
  #prepareArrivals(idleClass: IdleClass<T>, now: number): void {
    const { oldest = noSlot } = this.ages ?? {}
    const tooOldAt =
      oldest === noSlot ? Number.POSITIVE_INFINITY : this.slots.created(oldest) + this.#maxAgeMs
    idleClass.prepareArrivals(now, Math.min(this.classes.notOverBefore, tooOldAt))
  }

  /**
   * The same for a session without a timeout of its own, if a glance shows that nobody is over; else it does nothing, and
   * gives `noSlot`.
   */
  insertAtAGlance(id: string, value: T, clock: FullClock): number {
    const idleClass = this.ofRegistry
    // Asked here, as a fraction that is handed to a function takes an object on the way.
    const now = nowOf(clock)
    if (!idleClass.arrival.holdsAt(now)) return noSlot
    return this.#bear(id, value, now, idleClass)
  }

  #bear(id: string, value: T, now: number, idleClass: IdleClass<T>): number {
    const { arrival } = idleClass
    arrival.now = now
    const slot = this.slots.bear(id, value, arrival)
    this.byId.add(id, slot)
    idleClass.size += 1
    // Behind another one it makes no moment of its class earlier: so a creation seldom comes further than this.
    if (arrival.wasFirst) this.classes.cameFirst(idleClass)
    if (this.ages !== undefined) this.ages.append(slot)
    return slot
  }

  /** Takes back a session that was taken out; its times start anew. */
  reinsert(record: SessionRecord<T>, now: number): void {
    const slot = this.insert(record.id, record.value, record.timeoutMs, now)
    this.slots.setRecord(slot, record)
    record.enter(slot)
  }

  /** Takes a session out. If it has a record, that says from now on what the session was. */
  remove(slot: number): SessionRecord<T> | undefined {
    const record = this.slots.recordOf(slot)
    record?.leave()
    this.#free(slot)
    return record
  }

  /** Takes a session out, as an object. */
  takeOut(slot: number): SessionRecord<T> {
    // A new record is not put into the slot: an old object that points to a young one has the garbage collector copy it,
    // and a sweep would make a million of them.
    const record = this.slots.recordOf(slot) ?? new SessionRecord(this.slots.idOf(slot), slot, this)
    record.leave()
    this.#free(slot)
    return record
  }

  /** Activity: the idle time starts again. One stored number, and rarely a move in a list. */
  touch(slot: number, now: number): void {
    this.slots.setLastActive(slot, now)
    const idleClass = this.classes.at(slot)
    if (!this.slots.isHeld(slot) && idleClass.movesAt(slot, now)) idleClass.renew(slot, now)
  }

  /** {@link touch}, unless the session is over; says whether it lives. */
  touchLive(slot: number, now: number): boolean {
    if (this.isOver(slot, now)) return false
    this.touch(slot, now)
    return true
  }

  /** Takes a session out of the idle order: it cannot end by time until {@link release}. */
  hold(slot: number): void {
    this.slots.unlink(slot)
    this.#heldOnes.append(slot)
    this.slots.setHeld(slot, true)
    this.#heldCount += 1
  }

  release(slot: number, now: number): void {
    this.slots.unlink(slot)
    this.slots.setHeld(slot, false)
    this.#heldCount -= 1
    this.slots.setLastActive(slot, now)
    this.classes.append(this.classes.at(slot), slot, now)
    // A sweep may have met it while it was held and past its age, and put it aside.
    if (this.ages === undefined || this.ages.has(slot)) return
    this.ages.prepend(slot)
    this.ofRegistry.arrival.until = Number.NEGATIVE_INFINITY
  }

  isOver(slot: number, now: number): boolean {
    if (this.slots.isHeld(slot)) return false
    return this.classes.at(slot).isOver(slot, now) || this.#isTooOld(slot, now)
  }

  /** Which of its two deadlines came first, of a session that is over. */
  expiryReason(slot: number): ExpiryReason {
    const idleDeadline = this.slots.lastActive(slot) + this.classes.at(slot).timeoutMs
    return this.slots.created(slot) + this.#maxAgeMs < idleDeadline ? 'age' : 'idle'
  }

  /** Whether {@link nextOver} may find one: a look at the front of each list. */
  mayHaveOver(now: number): boolean {
    return this.classes.mayHaveOver(now) || (this.ages !== undefined && this.#mayHaveTooOld(this.ages, now))
  }

  /**
   * A session that is over; `noSlot` where there is none; and now and then `breath`, so that the caller can look at the
   * clock. The caller takes it out before it asks for the next. Anything may happen to the table between two of them.
   */
  nextOver(now: number): number {
    const found = this.classes.nextOver(now)
    return found === noSlot && this.ages !== undefined ? this.#nextTooOld(this.ages, now) : found
  }

  /** The session to evict: the least recently active that is not held, to within one granule of its idle timeout. */
  get leastActive(): number {
    return this.classes.leastActive
  }

  /** As {@link IdleClasses.drain}. */
  idle(): Generator<number, undefined, undefined> {
    return this.classes.drain()
  }

  /**
   * Has all sessions taken out, one after another, by `take`.
   *
   * No id is found from the beginning: to forget all of them at once costs a fraction of forgetting each.
   */
  takeAll(take: (slot: number) => void): void {
    const held = this.heldRecords()
    this.byId.clear()
    for (const slot of this.idle()) take(slot)
    for (const { slot } of held) if (slot !== noSlot) take(slot)
  }

  /** All sessions as they are now, least recently active first; held ones, which are in use, last. */
  snapshot(): number[] {
    const slots: number[] = []
    this.classes.collect(slots)
    // The lists are sorted to within a granule, so this is close to one pass; a stable sort keeps their exact order
    // where the clock stood still.
    slots.sort((a, b) => this.slots.lastActive(a) - this.slots.lastActive(b))
    this.#heldOnes.collect(slots)
    return slots
  }

  /** Gives a session another idle timeout, or the registry's; its idle time so far counts. */
  assignTimeout(slot: number, timeoutMs: number | undefined): void {
    const former = this.classes.at(slot)
    const idleClass = this.classes.of(timeoutMs)
    if (idleClass === former) return
    const isHeld = this.slots.isHeld(slot)
    if (!isHeld) this.slots.unlink(slot)
    this.slots.setIdleClass(slot, idleClass.number)
    idleClass.size += 1
    this.classes.leave(former)
    if (!isHeld) this.classes.insertByActivity(idleClass, slot)
  }

  #free(slot: number): void {
    this.byId.remove(slot)
    this.slots.unlink(slot)
    this.ages?.remove(slot)
    if (this.slots.isHeld(slot)) this.#heldCount -= 1
    const idleClass = this.classes.at(slot)
    this.slots.free(slot)
    this.classes.leave(idleClass)
  }

  #mayHaveTooOld({ oldest }: AgeList, now: number): boolean {
    return oldest !== noSlot && this.#isTooOld(oldest, now)
  }

  #isTooOld(slot: number, now: number): boolean {
    return this.slots.created(slot) + this.#maxAgeMs <= now
  }

  #nextTooOld(ages: AgeList, now: number): number {
    for (let step = 0; step < stepsPerBreath; step += 1) {
      const { oldest } = ages
      if (oldest === noSlot || !this.#isTooOld(oldest, now)) return noSlot
      if (!this.slots.isHeld(oldest)) return oldest
      ages.remove(oldest)
    }
    return breath
  }
}
