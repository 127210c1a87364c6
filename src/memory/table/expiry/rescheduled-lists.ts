import { noSlot, type Slot } from '../layout.ts'
import { SlotList } from '../slots/slot-list.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { BinaryHeap } from './binary-heap.ts'

/**
 * Sessions that are not in the order of the queue, each with others of the tick of its last activity: those that a walk
 * has met too early, since they were in use after they were last put in their place, and those that came from another queue.
 *
 * Each is met when its own tick comes, and not before.
 */
export class RescheduledLists {
  readonly #slots: SlotStore
  /** Ticks in which nothing is left are dropped when they would be the first. */
  readonly #byTick = new Map<number, SlotList>()
  readonly #ticks = new BinaryHeap<number>((tick) => tick)

  constructor(slots: SlotStore) {
    this.#slots = slots
  }

  /** A session of the earliest tick. */
  get first(): Slot {
    for (let { first } = this.#ticks; first !== undefined; { first } = this.#ticks) {
      const list = this.#byTick.get(first)
      if (list !== undefined && list.first !== noSlot) return list.first
      list?.dispose()
      this.#byTick.delete(first)
      this.#ticks.shift()
    }
    return noSlot
  }

  /** Adds a session to the tick that it is linked to. */
  add(slot: Slot): void {
    const tick = this.#slots.linkedTick(slot)
    let list = this.#byTick.get(tick)
    if (list === undefined) {
      list = new SlotList(this.#slots)
      this.#byTick.set(tick, list)
      this.#ticks.push(tick)
    }
    list.append(slot)
  }

  appendTo(slots: Slot[]): void {
    for (const list of this.#byTick.values()) list.appendTo(slots)
  }

  /** Gives back what the lists themselves take; they are empty, and not used again. */
  dispose(): void {
    for (const list of this.#byTick.values()) list.dispose()
    this.#byTick.clear()
    this.#ticks.filter(() => false)
  }
}
