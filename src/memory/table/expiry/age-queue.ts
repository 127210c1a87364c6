import { noSlot, offsetMask, pageBits, type Slot } from '../layout.ts'
import { asSlot } from '../slots/as-slot.ts'
import { capacityOf } from '../slots/slot-page.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { BinaryHeap } from './binary-heap.ts'
import { maxStepsPerScan, type ScanResult } from './scan.ts'

/** A session that is older than its slot, as it was when it was added. */
interface Entry {
  readonly slot: Slot
  readonly generation: number
  readonly created: number
}

/** Stale entries that are kept beside as many as there are current ones: pruning them is rare enough. */
const minEntriesToPrune = 64

/**
 * The sessions of a registry with an absolute timeout, in order of creation, which is the order of their
 * deadlines.
 *
 * Sessions that are created here are appended to a list. One that was created long ago, and read from a
 * store, has its place in the middle of that list: it waits in a heap. Its entry there is stale once it has
 * left.
 *
 * A held session whose deadline has passed leaves the queue. It returns to the front when it is released, as
 * it has expired then. The links stand in pages of their own: a registry without an absolute timeout has no
 * queue by age.
 */
export class AgeQueue {
  readonly #slots: SlotStore
  readonly #maxAgeMs: number
  /**
   * Two links of each slot, to the older neighbour and to the younger. Those of `noSlot` are the youngest and
   * oldest.
   */
  readonly #pages: (Int32Array | undefined)[] = []
  /** By page, the number of its slots that are in the queue. */
  readonly #usedCounts: number[] = []
  readonly #olderOnes = new BinaryHeap<Entry>((one, other) => one.created < other.created)
  /** The slots in {@link #olderOnes}. */
  readonly #olderSlots = new Set<Slot>()
  /** A page that was dropped, for the next one that is needed. */
  #spare: Int32Array | undefined

  constructor(slots: SlotStore, maxAgeMs: number) {
    this.#slots = slots
    this.#maxAgeMs = maxAgeMs
  }

  get oldest(): Slot {
    const listed = this.#younger(noSlot)
    const older = this.#firstOlder()
    if (listed === noSlot || older === noSlot) return listed === noSlot ? older : listed
    return this.#slots.created(older) <= this.#slots.created(listed) ? older : listed
  }

  /** The absolute deadline of a session. */
  deadlineOf(slot: Slot): number {
    return this.#slots.created(slot) + this.#maxAgeMs
  }

  /** No session of the queue reaches its absolute timeout before this instant. */
  get earliestExpiry(): number {
    const { oldest } = this
    return oldest === noSlot ? Number.POSITIVE_INFINITY : this.deadlineOf(oldest)
  }

  /** Returns an expired session, as {@link ScanResult} describes. */
  nextExpired(now: number): ScanResult {
    for (let step = 0; step < maxStepsPerScan; step += 1) {
      const { oldest } = this
      if (oldest === noSlot || this.deadlineOf(oldest) > now) return noSlot
      if (!this.#slots.isHeld(oldest)) return oldest
      this.remove(oldest)
    }
    return 'paused'
  }

  has(slot: Slot): boolean {
    return this.#isListed(slot) || this.#olderSlots.has(slot)
  }

  /** Moves a session whose time of creation has changed. Returns its absolute deadline. */
  reinsert(slot: Slot): number {
    this.remove(slot)
    // The next touch takes the slow path, which looks at the deadline.
    this.#slots.setNextCheckAt(slot, Number.NEGATIVE_INFINITY)
    const youngest = this.#older(noSlot)
    if (youngest === noSlot || this.#slots.created(youngest) <= this.#slots.created(slot)) this.append(slot)
    else this.#addOlder(slot)
    return this.deadlineOf(slot)
  }

  append(slot: Slot): void {
    this.#insertAfter(slot, this.#older(noSlot))
  }

  prepend(slot: Slot): void {
    this.#insertAfter(slot, noSlot)
  }

  remove(slot: Slot): void {
    if (this.#olderSlots.delete(slot) || !this.#isListed(slot)) return
    this.#link(this.#older(slot), this.#younger(slot))
    this.#set(slot, 0, noSlot)
    this.#set(slot, 1, noSlot)
    this.#dropIfUnused(slot >>> pageBits)
  }

  #addOlder(slot: Slot): void {
    this.#olderSlots.add(slot)
    const entry = { slot, generation: this.#slots.generation(slot), created: this.#slots.created(slot) }
    this.#olderOnes.push(entry)
    if (this.#olderOnes.size > this.#olderSlots.size * 2 + minEntriesToPrune)
      this.#olderOnes.filter((one) => this.#isCurrent(one))
  }

  #isListed(slot: Slot): boolean {
    return this.#older(slot) !== noSlot || this.#younger(noSlot) === slot
  }

  #firstOlder(): Slot {
    if (this.#olderSlots.size === 0) return noSlot
    for (let { first } = this.#olderOnes; first !== undefined; first = this.#olderOnes.first) {
      if (this.#isCurrent(first)) return first.slot
      this.#olderOnes.shift()
    }
    return noSlot
  }

  #isCurrent({ slot, generation }: Entry): boolean {
    return this.#olderSlots.has(slot) && this.#slots.generation(slot) === generation
  }

  #insertAfter(slot: Slot, older: Slot): void {
    const younger = this.#younger(older)
    const index = slot >>> pageBits
    this.#usedCounts[index] = (this.#usedCounts[index] ?? 0) + 1
    this.#link(older, slot)
    this.#link(slot, younger)
  }

  /**
   * Drops the page of a slot that has left, if that was its last. The first page has the ends of the queue,
   * and stays.
   */
  #dropIfUnused(index: number): void {
    const used = (this.#usedCounts[index] ?? 0) - 1
    this.#usedCounts[index] = used
    if (used > 0 || index === 0) return
    this.#spare = this.#pages[index]
    this.#pages[index] = undefined
  }

  #link(older: Slot, younger: Slot): void {
    this.#set(older, 1, younger)
    this.#set(younger, 0, older)
  }

  #older(slot: Slot): Slot {
    return asSlot(this.#pages[slot >>> pageBits]?.[(slot & offsetMask) * 2] ?? noSlot)
  }

  #younger(slot: Slot): Slot {
    return asSlot(this.#pages[slot >>> pageBits]?.[(slot & offsetMask) * 2 + 1] ?? noSlot)
  }

  #set(slot: Slot, side: 0 | 1, neighbour: Slot): void {
    const index = slot >>> pageBits
    let page = this.#pages[index]
    if (page === undefined) {
      page = this.#takeSpare(capacityOf(index)) ?? new Int32Array(capacityOf(index) * 2)
      this.#pages[index] = page
    }
    page[(slot & offsetMask) * 2 + side] = neighbour
  }

  /** Returns the page that was dropped, if it has this capacity. All its links are `noSlot`. */
  #takeSpare(capacity: number): Int32Array | undefined {
    const spare = this.#spare
    if (spare?.length !== capacity * 2) return undefined
    this.#spare = undefined
    return spare
  }
}
