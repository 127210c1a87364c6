import { noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * A doubly linked list of slots; each slot is in one list at most.
 *
 * Circular around a sentinel, so that a slot leaves its list without knowing which one it is.
 */
export class SlotList {
  readonly #slots: SlotStore
  readonly #sentinel: Slot

  constructor(slots: SlotStore) {
    this.#slots = slots
    this.#sentinel = slots.allocate()
    slots.link(this.#sentinel, this.#sentinel)
  }

  /** What stands behind the last slot. */
  get sentinel(): Slot {
    return this.#sentinel
  }

  get first(): Slot {
    const next = this.#slots.next(this.#sentinel)
    return next === this.#sentinel ? noSlot : next
  }

  get last(): Slot {
    const prev = this.#slots.prev(this.#sentinel)
    return prev === this.#sentinel ? noSlot : prev
  }

  /** Adds a slot at the end, and says whether it is the first as well. */
  append(slot: Slot): boolean {
    return this.#slots.insertBefore(slot, this.#sentinel) === this.#sentinel
  }

  /** Moves all of `other` to the end of this list, at no cost per slot. */
  spliceFrom(other: SlotList): void {
    const { first, last } = other
    if (first === noSlot) return
    this.#slots.link(this.#slots.prev(this.#sentinel), first)
    this.#slots.link(last, this.#sentinel)
    this.#slots.link(other.#sentinel, other.#sentinel)
  }

  /** Adds its slots to `slots`, in order. Not a generator: that makes an object for each. */
  appendTo(slots: Slot[]): void {
    let slot = this.#slots.next(this.#sentinel)
    for (; slot !== this.#sentinel; slot = this.#slots.next(slot)) slots.push(slot)
  }

  /** Gives back what the list itself takes; it is empty, and not used again. */
  dispose(): void {
    this.#slots.free(this.#sentinel)
  }
}
