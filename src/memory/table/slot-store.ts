import type { Arrival } from './arrival.ts'
import type { SessionRecord } from './session-record.ts'
import {
  atCreated,
  atId,
  atKind,
  atLastActive,
  atLinkedTick,
  atNext,
  atPrev,
  atQuietUntil,
  atValue,
  capacityOf,
  floatsPerSlot,
  intsPerSlot,
  pageBits,
  placeMask,
  refsPerSlot,
  SlotPage,
  timesPerSlot,
} from './slot-page.ts'

/**
 * The memory of all sessions: for each a slot, which is a number.
 *
 * A million sessions are a few hundred objects here. So a creation allocates nothing, the garbage collector has nothing
 * to copy or to follow but ids and values, and the memory grows page by page: nothing large is ever copied.
 */
export class SlotStore<T> {
  /** One that became empty is dropped, and its index used again. */
  readonly pages: (SlotPage | undefined)[] = [new SlotPage(capacityOf(0), 1)]
  /** The page that is asked first for a free slot, and its index. */
  #current = this.pages[0] as SlotPage
  #currentIndex = 0
  /** Indexes of other pages that may have a free slot; the last is asked next. */
  readonly #open: number[] = []
  readonly #isOpen: boolean[] = [true]
  readonly #dropped: number[] = []
  /** A page without any slot in use, if it still is. It is kept, so that a session that comes and goes does not cost a page each time. */
  #spare: SlotPage | undefined = undefined
  /** So many slots were freed. No life is later than two more than that. */
  #frees = 0

  constructor() {
    // The slot of number zero stands for none.
    this.allocate()
  }

  /** A slot that nobody uses. What its numbers say is left from former times. */
  allocate(): number {
    if (this.#current.isFull()) this.#makeRoom()
    return (this.#currentIndex << pageBits) | this.#current.take()
  }

  /**
   * A slot for a session that begins now, linked to the end of its list.
   *
   * All in one, `take` included, so that a creation goes through its memory once. And so long that V8 calls it, and leaves the
   * room in the caller to what is short.
   */
  bear(id: string, value: T, arrival: Arrival): number {
    if (this.#current.isFull()) this.#makeRoom()
    const page = this.#current
    const { refs, times, floats, ints } = page
    let place = page.freed
    if (place < 0) {
      place = page.fresh
      page.fresh = place + 1
    } else {
      page.freed = ints[place * intsPerSlot + atNext] as number
      page.vacant -= 1
    }
    const slot = (this.#currentIndex << pageBits) | place
    refs[place * refsPerSlot + atId] = id
    refs[place * refsPerSlot + atValue] = value
    const { now } = arrival
    times[place * timesPerSlot + atLastActive] = now
    times[place * timesPerSlot + atQuietUntil] = arrival.quietUntil
    floats[place * floatsPerSlot + atLinkedTick] = arrival.tick
    floats[place * floatsPerSlot + atCreated] = now
    const prev = arrival.putLast(slot)
    // Mostly it is in the same page, and that one need not be looked up.
    const ofPrev = prev >>> pageBits === this.#currentIndex ? ints : this.#pageOf(prev).ints
    ofPrev[(prev & placeMask) * intsPerSlot + atNext] = slot
    const at = place * intsPerSlot
    ints[at + atKind] = arrival.kind
    ints[at + atPrev] = prev
    ints[at + atNext] = arrival.end
    return slot
  }

  free(slot: number): void {
    const index = slot >>> pageBits
    const page = this.#pageOf(slot)
    page.giveBack(slot & placeMask)
    this.#frees += 1
    if (!this.#isOpen[index]) {
      this.#isOpen[index] = true
      this.#open.push(index)
    }
    if (!page.isEmpty() || page === this.#current) return
    if (this.#spare?.isEmpty() === true && this.#spare !== page) {
      this.pages[index] = undefined
      this.#dropped.push(index)
    } else {
      this.#spare = page
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
    return this.#int(slot, atKind) >>> 1
  }

  setIdleClass(slot: number, number: number): void {
    this.#setInt(slot, atKind, (number << 1) | (this.#int(slot, atKind) & 1))
  }

  isHeld(slot: number): boolean {
    return (this.#int(slot, atKind) & 1) !== 0
  }

  setHeld(slot: number, isHeld: boolean): void {
    this.#setInt(slot, atKind, (this.#int(slot, atKind) & ~1) | (isHeld ? 1 : 0))
  }

  /** The hash of its id, where the index has wanted one. */
  hash(slot: number): number {
    return this.#pageOf(slot).hashes?.[slot & placeMask] ?? 0
  }

  setHash(slot: number, hash: number): void {
    this.#pageOf(slot).setHashAt(slot & placeMask, hash)
  }

  /** Tells apart the sessions that have one slot one after another. */
  life(slot: number): number {
    return this.pages[slot >>> pageBits]?.lifeAt(slot & placeMask) ?? 0
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

  /** The current page is full: another one takes its place. */
  #makeRoom(): void {
    this.#isOpen[this.#currentIndex] = false
    for (let index = this.#open.pop(); index !== undefined; index = this.#open.pop()) {
      const page = this.pages[index]
      if (page !== undefined && !page.isFull()) {
        this.#current = page
        this.#currentIndex = index
        return
      }
      this.#isOpen[index] = false
    }
    this.#currentIndex = this.#dropped.pop() ?? this.pages.length
    // Later than any life in a page that was here before: a slot's goes on by one each time that it is freed.
    this.#current = new SlotPage(capacityOf(this.#currentIndex), this.#frees + 2)
    this.pages[this.#currentIndex] = this.#current
    this.#isOpen[this.#currentIndex] = true
  }
}
