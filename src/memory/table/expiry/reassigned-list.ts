import { noSlot, type Slot } from '../layout.ts'
import { SlotList } from '../slots/slot-list.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { BinaryHeap } from './binary-heap.ts'

/** A session as it was when it came into the list. */
interface ReassignedEntry {
  readonly slot: Slot
  readonly generation: number
  readonly lastActive: number
}

/** So many entries may be of no use, beside twice as many as are: rare enough to cost nothing per session. */
const minEntriesToPrune = 64

/**
 * Sessions without a deadline that came into their queue with some idle time behind them, the least recently active first.
 *
 * Where sessions do not end by time, the order of eviction is exact. In the queue's own list their places would have to be
 * searched for. A session that is used leaves for that list and is not told to the heap: its entry is known to be stale when
 * it is the first.
 */
export class ReassignedList {
  readonly #slots: SlotStore
  /** The number of the queue. */
  readonly #queueNumber: number
  readonly #list: SlotList
  readonly #heap = new BinaryHeap<ReassignedEntry>(({ lastActive }) => lastActive)
  #prunesAt = minEntriesToPrune

  constructor(slots: SlotStore, queueNumber: number) {
    this.#slots = slots
    this.#queueNumber = queueNumber
    this.#list = new SlotList(slots)
  }

  /** The least recently active session; `noSlot` where there is none. */
  get first(): Slot {
    if (this.#list.first === noSlot) return noSlot
    let { first } = this.#heap
    while (first !== undefined && !this.#isCurrent(first)) {
      this.#heap.shift()
      first = this.#heap.first
    }
    return first?.slot ?? noSlot
  }

  add(slot: Slot): void {
    this.#list.append(slot)
    this.#heap.push({
      slot,
      generation: this.#slots.generation(slot),
      lastActive: this.#slots.lastActive(slot),
    })
    if (this.#heap.size < this.#prunesAt) return
    this.#heap.filter((entry) => this.#isCurrent(entry))
    this.#prunesAt = this.#heap.size * 2 + minEntriesToPrune
  }

  appendTo(slots: Slot[]): void {
    this.#list.appendTo(slots)
  }

  /** Gives back what the list itself takes; it is empty, and not used again. */
  dispose(): void {
    this.#list.dispose()
  }

  /** Whether the session is as it was. If it was used in that very moment it is in another list, with the same right to be first. */
  #isCurrent({ slot, generation, lastActive }: ReassignedEntry): boolean {
    const slots = this.#slots
    if (slots.generation(slot) !== generation || slots.lastActive(slot) !== lastActive) return false
    return slots.queueNumber(slot) === this.#queueNumber && !slots.isHeld(slot)
  }
}
