import { noSlot, type Slot } from '../layout.ts'
import { SlotList } from '../slots/slot-list.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { BinaryHeap } from './binary-heap.ts'

/** A session as it was when it was added. */
interface Entry {
  readonly slot: Slot
  readonly generation: number
  readonly lastActive: number
  /** Counts the entries, as sessions of one instant keep the order in which they came. */
  readonly order: number
}

/**
 * Stale entries that are kept beside twice the number of current ones: pruning is rare enough to cost nothing
 * each.
 */
const minEntriesToPrune = 64

/**
 * Sessions of one timeout queue in exact order of their last activity.
 *
 * They came with some idle time behind them, so their places in the list of the queue would have to be
 * searched for. A session that is used again leaves for that list without notice to the heap: its entry here
 * is then stale, which shows when it is the first.
 */
export class ActivityHeap {
  readonly #slots: SlotStore
  readonly #queueNumber: number
  readonly #members: SlotList
  readonly #heap = new BinaryHeap<Entry>(isBefore)
  #added = 0
  #prunesAt = minEntriesToPrune

  constructor(slots: SlotStore, queueNumber: number) {
    this.#slots = slots
    this.#queueNumber = queueNumber
    this.#members = new SlotList(slots)
  }

  /** The least recently active session; `noSlot` where there is none. */
  get first(): Slot {
    if (this.#members.first === noSlot) return noSlot
    let { first } = this.#heap
    while (first !== undefined && !this.#isCurrent(first)) {
      this.#heap.shift()
      first = this.#heap.first
    }
    return first?.slot ?? noSlot
  }

  add(slot: Slot): void {
    this.#members.append(slot)
    this.#added += 1
    this.#heap.push({
      slot,
      generation: this.#slots.generation(slot),
      lastActive: this.#slots.lastActive(slot),
      order: this.#added,
    })
    if (this.#heap.size < this.#prunesAt) return
    this.#heap.filter((entry) => this.#isCurrent(entry))
    this.#prunesAt = this.#heap.size * 2 + minEntriesToPrune
  }

  appendTo(slots: Slot[], max?: number): void {
    this.#members.appendTo(slots, max)
  }

  /** Frees what the heap itself takes. It is empty, and not used again. */
  dispose(): void {
    this.#members.dispose()
  }

  /**
   * Reports whether a session is as it was. A session that was used in the very instant of its last activity
   * is in the list of its queue, and has the same right to be first.
   */
  #isCurrent({ slot, generation, lastActive }: Entry): boolean {
    const slots = this.#slots
    if (slots.generation(slot) !== generation || slots.lastActive(slot) !== lastActive) return false
    return slots.queueNumber(slot) === this.#queueNumber && !slots.isHeld(slot)
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.lastActive < other.lastActive || (one.lastActive === other.lastActive && one.order < other.order)
}
