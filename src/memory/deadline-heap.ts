import type { IdleClass } from './idle-class.ts'

/**
 * The idle classes that have a timeout, first the one whose sessions may be over soonest.
 *
 * A class is placed by a moment before which none of its sessions can be over. Activity only puts that moment off, so a
 * class is moved back when it comes to the front and not at each touch: a look costs what it finds, however many
 * different timeouts there are.
 */
export class DeadlineHeap<T> {
  readonly #classes: IdleClass<T>[] = []

  /** The first class, if it may have sessions that are over. */
  due(now: number): IdleClass<T> | undefined {
    for (;;) {
      const first = this.#classes[0]
      if (first === undefined || first.placedAt > now) return undefined
      const { earliest } = first
      if (earliest <= now) return first
      this.#place(first, earliest)
    }
  }

  /** A session was added to a class. */
  added(idleClass: IdleClass<T>): void {
    const { earliest } = idleClass
    if (idleClass.heapIndex < 0) {
      idleClass.heapIndex = this.#classes.push(idleClass) - 1
    } else if (earliest >= idleClass.placedAt) {
      return
    }
    this.#place(idleClass, earliest)
  }

  /** All that was over in a class was found. */
  searched(idleClass: IdleClass<T>, now: number): void {
    if (idleClass.heapIndex < 0) return
    // By the rounding of sums a deadline may seem to be now and be a trifle later: the next look is at a later moment.
    const later = now + Math.max(Number.MIN_VALUE, Math.abs(now) * Number.EPSILON)
    this.#place(idleClass, Math.max(later, idleClass.earliest))
  }

  remove(idleClass: IdleClass<T>): void {
    const index = idleClass.heapIndex
    const last = this.#classes.at(-1)
    if (index < 0 || last === undefined) return
    this.#classes.pop()
    idleClass.heapIndex = -1
    if (last === idleClass) return
    last.heapIndex = index
    this.#classes[index] = last
    this.#place(last, last.placedAt)
  }

  #place(idleClass: IdleClass<T>, moment: number): void {
    idleClass.placedAt = moment
    let index = idleClass.heapIndex
    for (;;) {
      const parent = this.#classes[(index - 1) >> 1]
      if (index === 0 || parent === undefined || parent.placedAt <= moment) break
      index = this.#swapIn(parent, index)
    }
    for (;;) {
      const left = this.#classes[2 * index + 1]
      const right = this.#classes[2 * index + 2]
      const child = left !== undefined && right !== undefined && right.placedAt < left.placedAt ? right : left
      if (child === undefined || child.placedAt >= moment) break
      index = this.#swapIn(child, index)
    }
    this.#classes[index] = idleClass
    idleClass.heapIndex = index
  }

  /** Moves a class to a place that is free, and gives the place that it leaves. */
  #swapIn(idleClass: IdleClass<T>, index: number): number {
    const left = idleClass.heapIndex
    this.#classes[index] = idleClass
    idleClass.heapIndex = index
    return left
  }
}
