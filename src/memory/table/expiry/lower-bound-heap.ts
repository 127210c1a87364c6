/** An item with its place in the heap. */
interface Entry<C> {
  readonly item: C
  bound: number
  index: number
}

/**
 * A binary min-heap of timeout queues by a lower bound of some instant of each, with decrease-key.
 *
 * Activity only moves such an instant on, without notice to the heap. So a bound may be too early; it is
 * corrected when its queue is the first. A touch costs nothing here, and a queue costs something only when it
 * is looked at.
 */
export class LowerBoundHeap<C> {
  readonly #boundOf: (item: C) => number
  readonly #entries: Entry<C>[] = []
  readonly #entryOf = new Map<C, Entry<C>>()

  constructor(boundOf: (item: C) => number) {
    this.#boundOf = boundOf
  }

  add(item: C): void {
    const entry: Entry<C> = { item, bound: this.#boundOf(item), index: this.#entries.length }
    this.#entryOf.set(item, entry)
    this.#entries.push(entry)
    this.#siftUp(entry)
  }

  remove(item: C): void {
    const entry = this.#entryOf.get(item)
    if (entry === undefined) return
    this.#entryOf.delete(item)
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    this.#place(last, entry.index)
    this.#siftUp(last)
    this.#siftDown(last)
  }

  /** Lowers the bound of a queue whose instant may have become earlier. */
  decreaseKey(item: C, bound = this.#boundOf(item)): void {
    const entry = this.#entryOf.get(item)
    if (entry === undefined || bound >= entry.bound) return
    entry.bound = bound
    this.#siftUp(entry)
  }

  /** No queue has its instant before this one. */
  get lowestBound(): number {
    return this.#entries[0]?.bound ?? Number.POSITIVE_INFINITY
  }

  /** Reports whether a queue has its instant by `limit`. Mostly none has, which the first entry shows. */
  hasDueBy(limit: number): boolean {
    const entry = this.#entries[0]
    return entry !== undefined && entry.bound <= limit && this.first(limit) !== undefined
  }

  /** Returns the queue whose instant comes first; none where that is after `limit`, or never. */
  first(limit = Number.POSITIVE_INFINITY): C | undefined {
    for (;;) {
      const entry = this.#entries[0]
      if (entry === undefined || entry.bound > limit || entry.bound === Number.POSITIVE_INFINITY)
        return undefined
      const bound = this.#boundOf(entry.item)
      if (bound <= entry.bound) return entry.item
      entry.bound = bound
      this.#siftDown(entry)
    }
  }

  #siftUp(entry: Entry<C>): void {
    for (;;) {
      const parent = this.#entries[(entry.index - 1) >> 1]
      if (parent === undefined || parent.bound <= entry.bound) return
      this.#swap(parent, entry)
    }
  }

  #siftDown(entry: Entry<C>): void {
    for (;;) {
      const left = this.#entries[entry.index * 2 + 1]
      const right = this.#entries[entry.index * 2 + 2]
      const child = right !== undefined && left !== undefined && right.bound < left.bound ? right : left
      if (child === undefined || child.bound >= entry.bound) return
      this.#swap(entry, child)
    }
  }

  #swap(upper: Entry<C>, lower: Entry<C>): void {
    const { index } = upper
    this.#place(upper, lower.index)
    this.#place(lower, index)
  }

  #place(entry: Entry<C>, index: number): void {
    entry.index = index
    this.#entries[index] = entry
  }
}
