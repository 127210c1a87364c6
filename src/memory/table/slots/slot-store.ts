import {
  atCreated,
  atFlags,
  atId,
  atLastActive,
  atLinkedTick,
  atNext,
  atNextCheck,
  atPrev,
  atValue,
  floatsPerSlot,
  intsPerSlot,
  offsetMask,
  pageBits,
  refsPerSlot,
  type Slot,
  timesPerSlot,
} from '../layout.ts'
import { asSlot } from './as-slot.ts'
import type { InsertTemplate } from './insert-template.ts'
import { capacityOf, SlotPage } from './slot-page.ts'

/**
 * The memory of all sessions: for each a slot, which is a number.
 *
 * A million sessions are a few hundred objects here. So a creation allocates nothing, the garbage collector has nothing
 * to copy or to follow but ids and values, and the memory grows page by page: nothing large is ever copied.
 */
export class SlotStore {
  /** One that became empty is dropped, and its index used again. */
  readonly pages: (SlotPage | undefined)[] = [new SlotPage(capacityOf(0), 1)]
  /** The page that is asked first for a free slot, and its index. */
  #current = this.pages[0] as SlotPage
  #currentIndex = 0
  /** Indexes of other pages that may have a free slot; the last is asked next. */
  readonly #partial: number[] = []
  readonly #isPartial: boolean[] = [true]
  readonly #droppedIndexes: number[] = []
  /** A page without any slot in use, if it still is. It is kept, so that a session that comes and goes does not cost a page each time. */
  #spare: SlotPage | undefined = undefined
  /** So many slots were freed. No generation is later than two more than that. */
  #freedTotal = 0

  constructor() {
    // The slot of number zero stands for none.
    this.allocate()
  }

  /** A slot that nobody uses. What its numbers say is left from former times. */
  allocate(): Slot {
    if (this.#current.isFull()) this.#nextPage()
    return asSlot((this.#currentIndex << pageBits) | this.#current.allocate())
  }

  /**
   * A slot for a session that begins now, linked to the end of its list.
   *
   * All in one, `take` included, so that a creation goes through its memory once. And so long that V8 calls it, and leaves the
   * room in the caller to what is short.
   */
  allocateAndLink(id: string, value: unknown, template: InsertTemplate): Slot {
    if (this.#current.isFull()) this.#nextPage()
    const page = this.#current
    const { refs, times, floats, ints } = page
    let offset = page.freeHead
    if (offset < 0) {
      offset = page.nextUnused
      page.nextUnused = offset + 1
    } else {
      page.freeHead = ints[offset * intsPerSlot + atNext] as number
      page.freeCount -= 1
    }
    const slot = asSlot((this.#currentIndex << pageBits) | offset)
    refs[offset * refsPerSlot + atId] = id
    refs[offset * refsPerSlot + atValue] = value
    const { now } = template
    times[offset * timesPerSlot + atLastActive] = now
    times[offset * timesPerSlot + atNextCheck] = template.nextCheckAt
    floats[offset * floatsPerSlot + atLinkedTick] = template.tick
    floats[offset * floatsPerSlot + atCreated] = now
    const prev = template.linkAtTail(slot)
    // Mostly it is in the same page, and that one need not be looked up.
    const prevInts = prev >>> pageBits === this.#currentIndex ? ints : this.#pageOf(prev).ints
    prevInts[(prev & offsetMask) * intsPerSlot + atNext] = slot
    const at = offset * intsPerSlot
    ints[at + atFlags] = template.flags
    ints[at + atPrev] = prev
    ints[at + atNext] = template.sentinel
    return slot
  }

  free(slot: Slot): void {
    const index = slot >>> pageBits
    const page = this.#pageOf(slot)
    page.free(slot & offsetMask)
    this.#freedTotal += 1
    if (!this.#isPartial[index]) {
      this.#isPartial[index] = true
      this.#partial.push(index)
    }
    if (!page.isEmpty() || page === this.#current) return
    if (this.#spare?.isEmpty() === true && this.#spare !== page) {
      this.pages[index] = undefined
      this.#droppedIndexes.push(index)
    } else {
      this.#spare = page
    }
  }

  idOf(slot: Slot): string {
    return this.#pageOf(slot).refs[(slot & offsetMask) * refsPerSlot + atId] as string
  }

  valueOf(slot: Slot): unknown {
    return this.#pageOf(slot).refs[(slot & offsetMask) * refsPerSlot + atValue]
  }

  setValue(slot: Slot, value: unknown): void {
    this.#pageOf(slot).refs[(slot & offsetMask) * refsPerSlot + atValue] = value
  }

  /** The record of the session, if it has one yet. */
  record(slot: Slot): unknown {
    return this.#pageOf(slot).recordAt(slot & offsetMask)
  }

  setRecord(slot: Slot, record: object): void {
    this.#pageOf(slot).setRecordAt(slot & offsetMask, record)
  }

  /** Monotonic time of the last activity; all that a touch writes. */
  lastActive(slot: Slot): number {
    return this.#pageOf(slot).times[(slot & offsetMask) * timesPerSlot + atLastActive] as number
  }

  setLastActive(slot: Slot, now: number): void {
    this.#pageOf(slot).times[(slot & offsetMask) * timesPerSlot + atLastActive] = now
  }

  /** Until this moment a touch has nothing to do but to write its time: the session is not over, and need not move. */
  setNextCheckAt(slot: Slot, moment: number): void {
    this.#pageOf(slot).times[(slot & offsetMask) * timesPerSlot + atNextCheck] = moment
  }

  /** The tick in which the session was last put in its place; see `timeout-queue.ts`. */
  linkedTick(slot: Slot): number {
    return this.#pageOf(slot).floats[(slot & offsetMask) * floatsPerSlot + atLinkedTick] as number
  }

  setLinkedTick(slot: Slot, tick: number): void {
    this.#pageOf(slot).floats[(slot & offsetMask) * floatsPerSlot + atLinkedTick] = tick
  }

  /** Monotonic time of the creation. */
  created(slot: Slot): number {
    return this.#pageOf(slot).floats[(slot & offsetMask) * floatsPerSlot + atCreated] as number
  }

  setCreated(slot: Slot, now: number): void {
    this.#pageOf(slot).floats[(slot & offsetMask) * floatsPerSlot + atCreated] = now
  }

  /** The number of its timeout queue. */
  queueNumber(slot: Slot): number {
    return this.#int(slot, atFlags) >>> 1
  }

  setQueueNumber(slot: Slot, number: number): void {
    this.#setInt(slot, atFlags, (number << 1) | (this.#int(slot, atFlags) & 1))
  }

  isHeld(slot: Slot): boolean {
    return (this.#int(slot, atFlags) & 1) !== 0
  }

  setHeld(slot: Slot, isHeld: boolean): void {
    this.#setInt(slot, atFlags, (this.#int(slot, atFlags) & ~1) | (isHeld ? 1 : 0))
  }

  /** The hash of its id, where the index has wanted one. */
  hash(slot: Slot): number {
    return this.#pageOf(slot).hashes?.[slot & offsetMask] ?? 0
  }

  setHash(slot: Slot, hash: number): void {
    this.#pageOf(slot).setHashAt(slot & offsetMask, hash)
  }

  /** Tells apart the sessions that have one slot one after another. */
  generation(slot: Slot): number {
    return this.pages[slot >>> pageBits]?.generationAt(slot & offsetMask) ?? 0
  }

  prev(slot: Slot): Slot {
    return asSlot(this.#int(slot, atPrev))
  }

  next(slot: Slot): Slot {
    return asSlot(this.#int(slot, atNext))
  }

  /** Puts a slot into the list of another one, before that; gives the one that it comes after. */
  insertBefore(slot: Slot, next: Slot): Slot {
    const nextInts = this.#pageOf(next).ints
    const nextAt = (next & offsetMask) * intsPerSlot
    const prev = asSlot(nextInts[nextAt + atPrev])
    nextInts[nextAt + atPrev] = slot
    this.#pageOf(prev).ints[(prev & offsetMask) * intsPerSlot + atNext] = slot
    const slotInts = this.#pageOf(slot).ints
    const at = (slot & offsetMask) * intsPerSlot
    slotInts[at + atPrev] = prev
    slotInts[at + atNext] = next
    return prev
  }

  /** Makes two slots neighbours in a list. */
  link(slot: Slot, next: Slot): void {
    this.#setInt(slot, atNext, next)
    this.#setInt(next, atPrev, slot)
  }

  /** Takes a slot out of whatever list it is in. */
  unlink(slot: Slot): void {
    const page = this.#pageOf(slot)
    const at = (slot & offsetMask) * intsPerSlot
    this.link(asSlot(page.ints[at + atPrev]), asSlot(page.ints[at + atNext]))
  }

  #int(slot: Slot, at: number): number {
    return this.#pageOf(slot).ints[(slot & offsetMask) * intsPerSlot + at] as number
  }

  #setInt(slot: Slot, at: number, value: number): void {
    this.#pageOf(slot).ints[(slot & offsetMask) * intsPerSlot + at] = value
  }

  #pageOf(slot: Slot): SlotPage {
    return this.pages[slot >>> pageBits] as SlotPage
  }

  /** The current page is full: another one takes its place. */
  #nextPage(): void {
    this.#isPartial[this.#currentIndex] = false
    for (let index = this.#partial.pop(); index !== undefined; index = this.#partial.pop()) {
      const page = this.pages[index]
      if (page !== undefined && !page.isFull()) {
        this.#current = page
        this.#currentIndex = index
        return
      }
      this.#isPartial[index] = false
    }
    this.#currentIndex = this.#droppedIndexes.pop() ?? this.pages.length
    // Later than any generation in a page that was here before: a slot's goes on by one each time that it is freed.
    this.#current = new SlotPage(capacityOf(this.#currentIndex), this.#freedTotal + 2)
    this.pages[this.#currentIndex] = this.#current
    this.#isPartial[this.#currentIndex] = true
  }
}
