import { noSlot, offsetMask, pageBits, type Slot } from '../layout.ts'
import { asSlot } from '../slots/as-slot.ts'
import { capacityOf } from '../slots/slot-page.ts'

/**
 * The sessions of a registry with an absolute timeout, in order of creation, which is the order of their deadlines.
 *
 * A held session whose deadline has passed leaves the list; released, it comes back to the front, for it is over then.
 * Its links stand in pages of their own, as registries without such a timeout have no need of them.
 */
export class AgeList {
  /** Of each slot its older neighbour and its younger one; of the slot that stands for none the youngest and the oldest. */
  readonly #pages: (Int32Array | undefined)[] = []
  /** By page, how many of its slots are in the list. */
  readonly #usedCounts: number[] = []
  /** A page that was dropped, for the next that is needed. */
  #spare: Int32Array | undefined

  get oldest(): Slot {
    return this.#younger(noSlot)
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
    this.#uncount(slot >>> pageBits)
  }

  #insertAfter(slot: Slot, older: Slot): void {
    const younger = this.#younger(older)
    const index = slot >>> pageBits
    this.#usedCounts[index] = (this.#usedCounts[index] ?? 0) + 1
    this.#link(older, slot)
    this.#link(slot, younger)
  }

  /** Memory follows the sessions; the first page stays, as the ends of the list are kept in it. */
  #uncount(index: number): void {
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

  /** The page that was dropped, if it is of that size. All links of it are those of nobody. */
  #takeSpare(capacity: number): Int32Array | undefined {
    const spare = this.#spare
    if (spare?.length !== capacity * 2) return undefined
    this.#spare = undefined
    return spare
  }
}
