import { SlotList } from './slot-list.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/**
 * Sessions that a walk has met too early, since they were in use after they were last put in their place: one list for
 * each granule of their last activity, so that each is met once more, when its own granule comes, and not before.
 */
export class LateLists<T> {
  readonly #slots: SlotStore<T>
  /** Granules in which nothing is left are dropped when they would be the first. */
  readonly #byTick = new Map<number, SlotList<T>>()
  #earliestTick = Number.POSITIVE_INFINITY

  constructor(slots: SlotStore<T>) {
    this.#slots = slots
  }

  /** A session of the earliest granule. */
  get first(): number {
    while (this.#byTick.size > 0) {
      const list = this.#byTick.get(this.#earliestTick)
      if (list !== undefined && list.first !== noSlot) return list.first
      list?.drop()
      this.#byTick.delete(this.#earliestTick)
      this.#earliestTick = Math.min(...this.#byTick.keys())
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
      this.#earliestTick = Math.min(this.#earliestTick, tick)
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
  }
}
