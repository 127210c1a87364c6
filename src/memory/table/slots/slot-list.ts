import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * A doubly linked list of slots; each slot is in one list at most.
 *
 * Circular around a sentinel, so that a slot leaves its list without knowing which one it is.
 */
export class SlotList<T> {
  readonly #slots: SlotStore<T>
  readonly #sentinel: number

  constructor(slots: SlotStore<T>) {
    this.#slots = slots
    this.#sentinel = slots.allocate()
    slots.link(this.#sentinel, this.#sentinel)
  }

  /** What stands behind the last slot. */
  get sentinel(): number {
    return this.#sentinel
  }

  get first(): number {
    const next = this.#slots.next(this.#sentinel)
    return next === this.#sentinel ? noSlot : next
  }

  get last(): number {
    const prev = this.#slots.prev(this.#sentinel)
    return prev === this.#sentinel ? noSlot : prev
  }

  /** Adds a slot at the end, and says whether it is the first as well. */
  append(slot: number): boolean {
    return this.#slots.insertBefore(slot, this.#sentinel) === this.#sentinel
  }

  /** Moves all of `other` to the end of this list, at no cost per slot. */
  spliceFrom(other: SlotList<T>): void {
    const { first, last } = other
    if (first === noSlot) return
    this.#slots.link(this.#slots.prev(this.#sentinel), first)
    this.#slots.link(last, this.#sentinel)
    this.#slots.link(other.#sentinel, other.#sentinel)
  }

  /** Adds its slots to `slots`, in order. Not a generator: that makes an object for each. */
  appendTo(slots: number[]): void {
    let slot = this.#slots.next(this.#sentinel)
    for (; slot !== this.#sentinel; slot = this.#slots.next(slot)) slots.push(slot)
  }

  /** Gives back what the list itself takes; it is empty, and not used again. */
  dispose(): void {
    this.#slots.free(this.#sentinel)
  }
}
