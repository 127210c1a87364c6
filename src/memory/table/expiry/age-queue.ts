import { noSlot, offsetMask, pageBits, type Slot } from '../layout.ts'
import { asSlot } from '../slots/as-slot.ts'
import { capacityOf } from '../slots/slot-page.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { maxStepsPerScan, type ScanResult } from './scan.ts'

/**
 * The sessions of a registry with an absolute timeout, in order of creation, which is the order of their
 * deadlines.
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
  /** A page that was dropped, for the next one that is needed. */
  #spare: Int32Array | undefined

  constructor(slots: SlotStore, maxAgeMs: number) {
    this.#slots = slots
    this.#maxAgeMs = maxAgeMs
  }

  get oldest(): Slot {
    return this.#younger(noSlot)
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
    return this.#older(slot) !== noSlot || this.oldest === slot
  }

  append(slot: Slot): void {
    this.#insertAfter(slot, this.#older(noSlot))
  }

  prepend(slot: Slot): void {
    this.#insertAfter(slot, noSlot)
  }

  remove(slot: Slot): void {
    if (!this.has(slot)) return
    this.#link(this.#older(slot), this.#younger(slot))
    this.#set(slot, 0, noSlot)
    this.#set(slot, 1, noSlot)
    this.#dropIfUnused(slot >>> pageBits)
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
