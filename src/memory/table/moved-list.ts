import { BinaryHeap } from './binary-heap.ts'
import { SlotList } from './slot-list.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/** A session as it was when it came into the list. */
interface Moved {
  readonly slot: number
  readonly life: number
  readonly lastActive: number
}

/** So many entries may be of no use, beside twice as many as are: rare enough to cost nothing per session. */
const minToClear = 64

/**
 * Sessions without a deadline that came into their class with some idle time behind them, the least recently active first.
 *
 * Where sessions do not end by time, the order of eviction is exact. In the class's own list their places would have to be
 * searched for. A session that is used leaves for that list and is not told to the heap: its entry is known to be stale when
 * it is the first.
 */
export class MovedList<T> {
  readonly #slots: SlotStore<T>
  /** The number of the class. */
  readonly #idleClass: number
  readonly #list: SlotList<T>
  readonly #heap = new BinaryHeap<Moved>(({ lastActive }) => lastActive)
  #clearsAt = minToClear

  constructor(slots: SlotStore<T>, idleClass: number) {
    this.#slots = slots
    this.#idleClass = idleClass
    this.#list = new SlotList(slots)
  }

  /** The least recently active session; `noSlot` where there is none. */
  get first(): number {
    if (this.#list.first === noSlot) return noSlot
    let { first } = this.#heap
    while (first !== undefined && !this.#isCurrent(first)) {
      this.#heap.shift()
      first = this.#heap.first
    }
    return first?.slot ?? noSlot
  }

  add(slot: number): void {
    this.#list.append(slot)
    this.#heap.push({ slot, life: this.#slots.life(slot), lastActive: this.#slots.lastActive(slot) })
    if (this.#heap.size < this.#clearsAt) return
    this.#heap.filter((moved) => this.#isCurrent(moved))
    this.#clearsAt = this.#heap.size * 2 + minToClear
  }

  collect(slots: number[]): void {
    this.#list.collect(slots)
  }

  /** Gives back what the list itself takes; it is empty, and not used again. */
  drop(): void {
    this.#list.drop()
  }

  /** Whether the session is as it was. If it was used in that very moment it is in another list, with the same right to be first. */
  #isCurrent({ slot, life, lastActive }: Moved): boolean {
    const slots = this.#slots
    if (slots.life(slot) !== life || slots.lastActive(slot) !== lastActive) return false
    return slots.idleClass(slot) === this.#idleClass && !slots.isHeld(slot)
  }
}
