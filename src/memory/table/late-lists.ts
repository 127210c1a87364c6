import { BinaryHeap } from './binary-heap.ts'
import { SlotList } from './slot-list.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * Sessions that are not in the order of the class, each with others of the granule of its last activity: those that a walk
 * has met too early, since they were in use after they were last put in their place, and those that came from another class.
 *
 * Each is met when its own granule comes, and not before.
 */
export class LateLists<T> {
  readonly #slots: SlotStore<T>
  /** Granules in which nothing is left are dropped when they would be the first. */
  readonly #byTick = new Map<number, SlotList<T>>()
  readonly #ticks = new BinaryHeap<number>((tick) => tick)

  constructor(slots: SlotStore<T>) {
    this.#slots = slots
  }

  /** A session of the earliest granule. */
  get first(): number {
    for (let { first } = this.#ticks; first !== undefined; { first } = this.#ticks) {
      const list = this.#byTick.get(first)
      if (list !== undefined && list.first !== noSlot) return list.first
      list?.drop()
      this.#byTick.delete(first)
      this.#ticks.shift()
    }
    return noSlot
  }

  /** Adds a session to the granule that it is linked to. */
  add(slot: number): void {
    const tick = this.#slots.linkedTick(slot)
    let list = this.#byTick.get(tick)
    if (list === undefined) {
      list = new SlotList(this.#slots)
      this.#byTick.set(tick, list)
      this.#ticks.push(tick)
    }
    list.append(slot)
  }

  collect(slots: number[]): void {
    for (const list of this.#byTick.values()) list.collect(slots)
  }

  /** Gives back what the lists themselves take; they are empty, and not used again. */
  drop(): void {
    for (const list of this.#byTick.values()) list.drop()
    this.#byTick.clear()
    this.#ticks.filter(() => false)
  }
}
