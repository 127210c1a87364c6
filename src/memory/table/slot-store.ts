import type { SessionRecord } from './session-record.ts'
import {
  floatAt,
  floatsPerSlot,
  intAt,
  intsPerSlot,
  pageBits,
  placeMask,
  refAt,
  refsPerSlot,
  SlotPage,
  slotsPerPage,
} from './slot-page.ts'

/** The number that no slot has. */
export const noSlot = 0

/** The first page begins so small, for many registries hold a handful of sessions; it doubles until it is whole. */
const firstCapacity = 16

/**
 * The memory of all sessions: for each a slot, which is a number.
 *
 * A million sessions are a few hundred objects here. So a creation allocates nothing, the garbage collector has nothing
 * to copy or to follow but ids and values, and the memory grows page by page: nothing large is ever copied.
 */
export class SlotStore<T> {
  /** One that became empty is dropped, and its index used again. */
  readonly pages: (SlotPage | undefined)[] = [new SlotPage(firstCapacity)]
  /** The page that is asked first for a free slot, and its index. */
  #current = this.pages[0] as SlotPage
  #currentIndex = 0
  /** Indexes of other pages that may have a free slot; the last is asked next. */
  readonly #open: number[] = []
  readonly #isOpen: boolean[] = [true]
  readonly #dropped: number[] = []
  /** Pages without any slot in use. One is kept, so that a session that comes and goes does not cost a page each time. */
  #emptyPages = 0
  #births = 0

  constructor() {
    // The slot of number zero stands for none.
    this.allocate()
  }

  /** A slot that nobody uses. What its numbers say is left from former times. */
  allocate(): number {
    if (this.#current.isFull) this.#makeRoom()
    const page = this.#current
    if (page.used === 0 && this.#currentIndex > 0) this.#emptyPages -= 1
    return (this.#currentIndex << pageBits) | page.take()
  }

  /** A slot for a session that begins now. */
  bear(id: string, value: T, idleClass: number, now: number): number {
    const slot = this.allocate()
    const page = this.#pageOf(slot)
    const place = slot & placeMask
    const { refs, floats, ints } = page
    refs[place * refsPerSlot + refAt.id] = id
    refs[place * refsPerSlot + refAt.value] = value
    floats[place * floatsPerSlot + floatAt.lastActive] = now
    floats[place * floatsPerSlot + floatAt.created] = now
    const at = place * intsPerSlot
    ints[at + intAt.idleClass] = idleClass
    ints[at + intAt.isHeld] = 0
    this.#births += 1
    ints[at + intAt.birth] = this.#births
    return slot
  }

  free(slot: number): void {
    const index = slot >>> pageBits
    const page = this.#pageOf(slot)
    page.giveBack(slot & placeMask)
    if (!this.#isOpen[index]) {
      this.#isOpen[index] = true
      this.#open.push(index)
    }
    if (page.used > 0 || index === 0) return
    if (this.#emptyPages > 0 && page !== this.#current) {
      this.pages[index] = undefined
      this.#dropped.push(index)
    } else {
      this.#emptyPages += 1
    }
  }

  idOf(slot: number): string {
    return this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + refAt.id] as string
  }

  valueOf(slot: number): T {
    return this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + refAt.value] as T
  }

  setValue(slot: number, value: T): void {
    this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + refAt.value] = value
  }

  /** The record of the session, if it has one yet. */
  recordOf(slot: number): SessionRecord<T> | undefined {
    return this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + refAt.record] as
      | SessionRecord<T>
      | undefined
  }

  setRecord(slot: number, record: SessionRecord<T>): void {
    this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + refAt.record] = record
  }

  /** Monotonic time of the last activity; all that a touch writes. */
  lastActive(slot: number): number {
    return this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + floatAt.lastActive] as number
  }

  setLastActive(slot: number, now: number): void {
    this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + floatAt.lastActive] = now
  }

  /** The granule of time in which the session was last put in its place; see `idle-class.ts`. */
  linkedTick(slot: number): number {
    return this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + floatAt.linkedTick] as number
  }

  setLinkedTick(slot: number, tick: number): void {
    this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + floatAt.linkedTick] = tick
  }

  /** Monotonic time of the creation. */
  created(slot: number): number {
    return this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + floatAt.created] as number
  }

  setCreated(slot: number, now: number): void {
    this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + floatAt.created] = now
  }

  /** The number of its idle class. */
  idleClass(slot: number): number {
    return this.#int(slot, intAt.idleClass)
  }

  setIdleClass(slot: number, number: number): void {
    this.#setInt(slot, intAt.idleClass, number)
  }

  isHeld(slot: number): boolean {
    return this.#int(slot, intAt.isHeld) !== 0
  }

  setHeld(slot: number, isHeld: boolean): void {
    this.#setInt(slot, intAt.isHeld, isHeld ? 1 : 0)
  }

  /** The hash of its id, where the index has wanted one. */
  hash(slot: number): number {
    return this.#int(slot, intAt.hash)
  }

  setHash(slot: number, hash: number): void {
    this.#setInt(slot, intAt.hash, hash)
  }

  /** Tells apart the sessions that have one slot one after another; that of a free slot is zero. */
  birth(slot: number): number {
    return this.pages[slot >>> pageBits]?.ints[(slot & placeMask) * intsPerSlot + intAt.birth] ?? 0
  }

  prev(slot: number): number {
    return this.#int(slot, intAt.prev)
  }

  next(slot: number): number {
    return this.#int(slot, intAt.next)
  }

  /** Makes two slots neighbours in a list. */
  link(slot: number, next: number): void {
    this.#setInt(slot, intAt.next, next)
    this.#setInt(next, intAt.prev, slot)
  }

  /** Takes a slot out of whatever list it is in. */
  unlink(slot: number): void {
    const page = this.#pageOf(slot)
    const at = (slot & placeMask) * intsPerSlot
    this.link(page.ints[at + intAt.prev] as number, page.ints[at + intAt.next] as number)
  }

  #int(slot: number, at: number): number {
    return this.#pageOf(slot).ints[(slot & placeMask) * intsPerSlot + at] as number
  }

  #setInt(slot: number, at: number, value: number): void {
    this.#pageOf(slot).ints[(slot & placeMask) * intsPerSlot + at] = value
  }

  #pageOf(slot: number): SlotPage {
    return this.pages[slot >>> pageBits] as SlotPage
  }

  /** The current page is full: it grows, or another one takes its place. */
  #makeRoom(): void {
    if (this.#current.capacity < slotsPerPage) {
      this.#current.grow()
      return
    }
    this.#isOpen[this.#currentIndex] = false
    for (let index = this.#open.pop(); index !== undefined; index = this.#open.pop()) {
      const page = this.pages[index]
      if (page !== undefined && !page.isFull) {
        this.#current = page
        this.#currentIndex = index
        return
      }
      this.#isOpen[index] = false
    }
    this.#currentIndex = this.#dropped.pop() ?? this.pages.length
    this.#current = new SlotPage(slotsPerPage)
    this.pages[this.#currentIndex] = this.#current
    this.#isOpen[this.#currentIndex] = true
    this.#emptyPages += 1
  }
}
