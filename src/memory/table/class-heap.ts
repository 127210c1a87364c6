/** A class with its place in the heap. */
interface Entry<C> {
  readonly idleClass: C
  bound: number
  index: number
}

/**
 * Idle classes by a lower bound of some moment: the one to look at first is found without asking the others.
 *
 * Activity only moves such a moment on, and does not tell the heap: a bound may be too early, and is corrected when its
 * class is the first. So a touch costs nothing here, and a class costs something only when it is looked at.
 */
export class ClassHeap<C> {
  readonly #boundOf: (idleClass: C) => number
  readonly #entries: Entry<C>[] = []
  readonly #byClass = new Map<C, Entry<C>>()

  constructor(boundOf: (idleClass: C) => number) {
    this.#boundOf = boundOf
  }

  add(idleClass: C): void {
    const entry = { idleClass, bound: this.#boundOf(idleClass), index: this.#entries.length }
    this.#byClass.set(idleClass, entry)
    this.#entries.push(entry)
    this.#rise(entry)
  }

  remove(idleClass: C): void {
    const entry = this.#byClass.get(idleClass)
    if (entry === undefined) return
    this.#byClass.delete(idleClass)
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    this.#place(last, entry.index)
    this.#rise(last)
    this.#sink(last)
  }

  /** A session has come into the class: its moment may be earlier than it was, and not before `bound`. */
  mayBeEarlier(idleClass: C, bound = this.#boundOf(idleClass)): void {
    const entry = this.#byClass.get(idleClass)
    if (entry === undefined || bound >= entry.bound) return
    entry.bound = bound
    this.#rise(entry)
  }

  /** No class has its moment before this one. */
  get bound(): number {
    return this.#entries[0]?.bound ?? Number.POSITIVE_INFINITY
  }

  /** Whether some class has its moment by `limit`. Mostly none has, and that is seen at once. */
  hasBy(limit: number): boolean {
    const entry = this.#entries[0]
    return entry !== undefined && entry.bound <= limit && this.first(limit) !== undefined
  }

  /** The class whose moment comes first; none where that is after `limit`, or never. */
  first(limit = Number.POSITIVE_INFINITY): C | undefined {
    for (;;) {
      const entry = this.#entries[0]
      if (entry === undefined || entry.bound > limit || entry.bound === Number.POSITIVE_INFINITY)
        return undefined
      const bound = this.#boundOf(entry.idleClass)
      if (bound <= entry.bound) return entry.idleClass
      entry.bound = bound
      this.#sink(entry)
    }
  }

  #rise(entry: Entry<C>): void {
    for (;;) {
      const parent = this.#entries[(entry.index - 1) >> 1]
      if (parent === undefined || parent.bound <= entry.bound) return
      this.#swap(parent, entry)
    }
  }

  #sink(entry: Entry<C>): void {
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
