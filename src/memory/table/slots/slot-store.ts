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
 * A slab allocator of slots with generations (a _generational index_), and the accessors of what a slot
 * holds.
 *
 * ```
 *   pages    [0]       [1]       [2]  [3] …       page 0 is small; each next one has as many slots as all
 *            SlotPage  SlotPage   –   SlotPage    before it, up to `slotsPerPage`. Nothing is ever copied.
 *               │
 *               ├─ in use   linked into a SlotList by `prev` and `next`
 *               └─ free     freeHead ─▶ next ─▶ next ─▶ -1, then all from nextUnused on
 *
 *   allocate  from the current page; when that is full, from another with a free slot, else from a new one
 *   free      generation + 1; a page without slots in use is dropped, except for one spare
 * ```
 *
 * A million sessions are a few hundred objects. A creation allocates nothing, and the garbage collector has
 * nothing to copy or to trace but ids, values and records. `layout.ts` draws a slot.
 */
export class SlotStore {
  /** The pages by index. The index of a dropped page is used again. */
  readonly pages: (SlotPage | undefined)[] = [new SlotPage(capacityOf(0), 1)]
  /** The page that slots are taken from. */
  #current = this.pages[0] as SlotPage
  #currentIndex = 0
  /** Indexes of other pages that may have a free slot. The last is tried next. */
  readonly #partial: number[] = []
  readonly #isPartial: boolean[] = [true]
  readonly #droppedIndexes: number[] = []
  /**
   * The page that became empty last, if it still is. It is kept: a session that comes and goes costs no page
   * each time.
   */
  #spare: SlotPage | undefined = undefined
  /** The number of slots freed so far. No generation is above this plus two. */
  #freedTotal = 0

  constructor() {
    // Slot zero, which is `noSlot`.
    this.allocate()
  }

  /** Returns a free slot. Its numbers are those of its last use. */
  allocate(): Slot {
    if (this.#current.isFull()) this.#nextPage()
    return asSlot((this.#currentIndex << pageBits) | this.#current.allocate())
  }

  /**
   * Returns a slot for a new session, linked to the end of its list.
   *
   * It does all at once, {@link allocate} included, so that a creation goes through its memory once. It is
   * too long for V8 to inline, which leaves the budget of the caller to short functions.
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
    // Mostly in the same page, which need not be looked up.
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

  record(slot: Slot): unknown {
    return this.#pageOf(slot).recordAt(slot & offsetMask)
  }

  setRecord(slot: Slot, record: object): void {
    this.#pageOf(slot).setRecordAt(slot & offsetMask, record)
  }

  /** Monotonic time of the last activity: all that a touch writes. */
  lastActive(slot: Slot): number {
    return this.#pageOf(slot).times[(slot & offsetMask) * timesPerSlot + atLastActive] as number
  }

  setLastActive(slot: Slot, now: number): void {
    this.#pageOf(slot).times[(slot & offsetMask) * timesPerSlot + atLastActive] = now
  }

  /**
   * Sets the instant up to which a touch only writes its time: the session has not expired and need not move.
   */
  setNextCheckAt(slot: Slot, moment: number): void {
    this.#pageOf(slot).times[(slot & offsetMask) * timesPerSlot + atNextCheck] = moment
  }

  /** The tick in which the session was appended to its queue; see `timeout-queue.ts`. */
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

  /** The hash of the id, if the hash index has set it. */
  hash(slot: Slot): number {
    return this.#pageOf(slot).hashes?.[slot & offsetMask] ?? 0
  }

  setHash(slot: Slot, hash: number): void {
    this.#pageOf(slot).setHashAt(slot & offsetMask, hash)
  }

  /** The number that tells apart the sessions that had one slot. Zero for a page that was dropped. */
  generation(slot: Slot): number {
    return this.pages[slot >>> pageBits]?.generationAt(slot & offsetMask) ?? 0
  }

  prev(slot: Slot): Slot {
    return asSlot(this.#int(slot, atPrev))
  }

  next(slot: Slot): Slot {
    return asSlot(this.#int(slot, atNext))
  }

  /** Links a slot before another one. Returns the one that it comes after. */
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

  /** Unlinks a slot from its list, whichever that is. */
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

  /** Replaces the current page, which is full. */
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
    // Above any generation in a page that had this index before: each is counted up when its slot is freed.
    this.#current = new SlotPage(capacityOf(this.#currentIndex), this.#freedTotal + 2)
    this.pages[this.#currentIndex] = this.#current
    this.#isPartial[this.#currentIndex] = true
  }
}
