import type { SessionRecord } from './session-record.ts'
import {
  atBirth,
  atCreated,
  atHash,
  atHeld,
  atId,
  atIdleClass,
  atLastActive,
  atLinkedTick,
  atNext,
  atPrev,
  atQuietUntil,
  atValue,
  floatsPerSlot,
  intsPerSlot,
  pageBits,
  placeMask,
  refsPerSlot,
  SlotPage,
  slotsPerPage,
  timesPerSlot,
} from './slot-page.ts'

/** What the slot of a new session says of its place in the order of activity; see `idle-class.ts`. */
export interface Arrival {
  readonly idleClass: number
  readonly maxAgeMs: number
  /** What stands behind the last session of the list. */
  readonly end: number
  tick: number
  quietUntil: number
  /** Said of the last session that came: whether there was none before it in the list. */
  isFirst: boolean
}

/** The first page begins so small, for many registries hold a handful of sessions; it grows until it is whole. */
const firstCapacity = 64
const growth = 2

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
  /** Pages without any slot in use. One is kept beside the current one, so that a session that comes and goes does not cost a page each time. */
  #emptyPages = 0
  #births = 0

  constructor() {
    // The slot of number zero stands for none.
    this.allocate()
  }

  /** A slot that nobody uses. What its numbers say is left from former times. */
  allocate(): number {
    const page = this.#pageToUse()
    return (this.#currentIndex << pageBits) | page.take()
  }

  /**
   * A slot for a session that begins now, linked to the end of its list.
   *
   * All in one, `take` included, so that a creation goes through its memory once. And so long that V8 calls it, and leaves the
   * room in the caller to what is short.
   */
  bear(id: string, value: T, now: number, arrival: Arrival): number {
    let page = this.#current
    if (page.used === 0 || page.used === page.capacity) page = this.#pageToUse()
    page.used += 1
    let place = page.freed
    if (place < 0) {
      place = page.fresh
      page.fresh = place + 1
    } else {
      page.freed = page.ints[place * intsPerSlot + atNext] as number
    }
    const slot = (this.#currentIndex << pageBits) | place
    const { refs, times, floats, ints } = page
    refs[place * refsPerSlot + atId] = id
    refs[place * refsPerSlot + atValue] = value
    times[place * timesPerSlot + atLastActive] = now
    times[place * timesPerSlot + atQuietUntil] = Math.min(arrival.quietUntil, now + arrival.maxAgeMs)
    floats[place * floatsPerSlot + atLinkedTick] = arrival.tick
    floats[place * floatsPerSlot + atCreated] = now
    const at = place * intsPerSlot
    ints[at + atIdleClass] = arrival.idleClass
    ints[at + atHeld] = 0
    this.#births += 1
    ints[at + atBirth] = this.#births
    const { end } = arrival
    const ofEnd = this.#pageOf(end).ints
    const prev = ofEnd[(end & placeMask) * intsPerSlot + atPrev] as number
    ofEnd[(end & placeMask) * intsPerSlot + atPrev] = slot
    this.#pageOf(prev).ints[(prev & placeMask) * intsPerSlot + atNext] = slot
    ints[at + atPrev] = prev
    ints[at + atNext] = end
    arrival.isFirst = prev === end
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
    return this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + atId] as string
  }

  valueOf(slot: number): T {
    return this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + atValue] as T
  }

  setValue(slot: number, value: T): void {
    this.#pageOf(slot).refs[(slot & placeMask) * refsPerSlot + atValue] = value
  }

  /** The record of the session, if it has one yet. */
  recordOf(slot: number): SessionRecord<T> | undefined {
    return this.#pageOf(slot).recordAt(slot & placeMask) as SessionRecord<T> | undefined
  }

  setRecord(slot: number, record: SessionRecord<T>): void {
    this.#pageOf(slot).setRecordAt(slot & placeMask, record)
  }

  /** Monotonic time of the last activity; all that a touch writes. */
  lastActive(slot: number): number {
    return this.#pageOf(slot).times[(slot & placeMask) * timesPerSlot + atLastActive] as number
  }

  setLastActive(slot: number, now: number): void {
    this.#pageOf(slot).times[(slot & placeMask) * timesPerSlot + atLastActive] = now
  }

  /** Until this moment a touch has nothing to do but to write its time: the session is not over, and need not move. */
  setQuietUntil(slot: number, moment: number): void {
    this.#pageOf(slot).times[(slot & placeMask) * timesPerSlot + atQuietUntil] = moment
  }

  /** The granule of time in which the session was last put in its place; see `idle-class.ts`. */
  linkedTick(slot: number): number {
    return this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + atLinkedTick] as number
  }

  setLinkedTick(slot: number, tick: number): void {
    this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + atLinkedTick] = tick
  }

  /** Monotonic time of the creation. */
  created(slot: number): number {
    return this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + atCreated] as number
  }

  setCreated(slot: number, now: number): void {
    this.#pageOf(slot).floats[(slot & placeMask) * floatsPerSlot + atCreated] = now
  }

  /** The number of its idle class. */
  idleClass(slot: number): number {
    return this.#int(slot, atIdleClass)
  }

  setIdleClass(slot: number, number: number): void {
    this.#setInt(slot, atIdleClass, number)
  }

  isHeld(slot: number): boolean {
    return this.#int(slot, atHeld) !== 0
  }

  setHeld(slot: number, isHeld: boolean): void {
    this.#setInt(slot, atHeld, isHeld ? 1 : 0)
  }

  /** The hash of its id, where the index has wanted one. */
  hash(slot: number): number {
    return this.#int(slot, atHash)
  }

  setHash(slot: number, hash: number): void {
    this.#setInt(slot, atHash, hash)
  }

  /** Tells apart the sessions that have one slot one after another; that of a free slot is zero. */
  birth(slot: number): number {
    return this.pages[slot >>> pageBits]?.ints[(slot & placeMask) * intsPerSlot + atBirth] ?? 0
  }

  prev(slot: number): number {
    return this.#int(slot, atPrev)
  }

  next(slot: number): number {
    return this.#int(slot, atNext)
  }

  /** Puts a slot into the list of another one, before that; gives the one that it comes after. */
  insertBefore(slot: number, next: number): number {
    const ofNext = this.#pageOf(next).ints
    const there = (next & placeMask) * intsPerSlot
    const prev = ofNext[there + atPrev] as number
    ofNext[there + atPrev] = slot
    this.#pageOf(prev).ints[(prev & placeMask) * intsPerSlot + atNext] = slot
    const own = this.#pageOf(slot).ints
    const at = (slot & placeMask) * intsPerSlot
    own[at + atPrev] = prev
    own[at + atNext] = next
    return prev
  }

  /** Makes two slots neighbours in a list. */
  link(slot: number, next: number): void {
    this.#setInt(slot, atNext, next)
    this.#setInt(next, atPrev, slot)
  }

  /** Takes a slot out of whatever list it is in. */
  unlink(slot: number): void {
    const page = this.#pageOf(slot)
    const at = (slot & placeMask) * intsPerSlot
    this.link(page.ints[at + atPrev] as number, page.ints[at + atNext] as number)
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

  /** The current page, with a free slot that is going to be taken. */
  #pageToUse(): SlotPage {
    if (this.#current.isFull) this.#makeRoom()
    if (this.#current.used === 0 && this.#currentIndex > 0) this.#emptyPages -= 1
    return this.#current
  }

  /** The current page is full: it grows, or another one takes its place. */
  #makeRoom(): void {
    if (this.#current.capacity < slotsPerPage) {
      this.#current.grow(this.#current.capacity * growth)
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
