import type { SessionList } from './session-list.ts'
import type { SessionRecord } from './session-record.ts'

/**
 * Records that a walk has met too early, since they were in use after they were last put in their place: one list for
 * each granule of their last activity, so that each is met once more, when its own granule comes, and not before.
 */
export class LateLists<T> {
  readonly #newList: () => SessionList<T>
  /** Granules in which nothing is left are dropped when they would be the first. */
  readonly #byTick = new Map<number, SessionList<T>>()
  #earliestTick = Number.POSITIVE_INFINITY

  constructor(newList: () => SessionList<T>) {
    this.#newList = newList
  }

  /** A record of the earliest granule. */
  get first(): SessionRecord<T> | undefined {
    for (;;) {
      const list = this.#byTick.get(this.#earliestTick)
      if (list === undefined) return undefined
      if (list.first !== undefined) return list.first
      this.#byTick.delete(this.#earliestTick)
      this.#earliestTick = Math.min(...this.#byTick.keys())
    }
  }

  /** Adds a record to the granule that it is linked to. */
  add(record: SessionRecord<T>): void {
    const tick = record.linkedTick
    let list = this.#byTick.get(tick)
    if (list === undefined) {
      list = this.#newList()
      this.#byTick.set(tick, list)
      this.#earliestTick = Math.min(this.#earliestTick, tick)
    }
    list.append(record)
  }

  *[Symbol.iterator](): Generator<SessionRecord<T>, void, undefined> {
    for (const list of this.#byTick.values()) yield* list
  }
}
