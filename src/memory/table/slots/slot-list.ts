import { noSlot, type Slot } from '../layout.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * A doubly linked list of slots; each slot is in one list at most.
 *
 * Circular around a sentinel, so that a slot can be unlinked by the store, which does not know its list.
 */
export class SlotList {
  readonly #slots: SlotStore
  readonly #sentinel: Slot

  constructor(slots: SlotStore) {
    this.#slots = slots
    this.#sentinel = slots.allocate()
    slots.link(this.#sentinel, this.#sentinel)
  }

  /** The slot before the first and after the last. It belongs to the list and holds no session. */
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

  /** Adds a slot at the end. Returns whether it is the only one. */
  append(slot: Slot): boolean {
    return this.#slots.insertBefore(slot, this.#sentinel) === this.#sentinel
  }

  /**
   * Appends the slots of the list to `slots`, in order, at most `max` of them. A generator would allocate an
   * object for each.
   */
  appendTo(slots: Slot[], max = Number.POSITIVE_INFINITY): Slot[] {
    let slot = this.#slots.next(this.#sentinel)
    for (let left = max; left > 0 && slot !== this.#sentinel; left -= 1) {
      slots.push(slot)
      slot = this.#slots.next(slot)
    }
    return slots
  }

  /** Frees the sentinel. The list is empty, and not used again. */
  dispose(): void {
    this.#slots.free(this.#sentinel)
  }
}
