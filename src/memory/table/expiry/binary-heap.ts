/** A binary min-heap of entries by a key that does not change. */
export class BinaryHeap<E> {
  readonly #keyOf: (entry: E) => number
  #entries: E[] = []

  constructor(keyOf: (entry: E) => number) {
    this.#keyOf = keyOf
  }

  get size(): number {
    return this.#entries.length
  }

  /** An entry with the least key. */
  get first(): E | undefined {
    return this.#entries[0]
  }

  push(entry: E): void {
    this.#entries.push(entry)
    this.#siftUp(this.#entries.length - 1)
  }

  /** Takes out {@link first}. */
  shift(): E | undefined {
    const { first } = this
    const last = this.#entries.pop()
    if (last !== undefined && this.#entries.length > 0) {
      this.#entries[0] = last
      this.#siftDown(0)
    }
    return first
  }

  /** Keeps only the entries that pass; costs a few steps for each entry. */
  filter(passes: (entry: E) => boolean): void {
    this.#entries = this.#entries.filter(passes)
    for (let index = (this.#entries.length >> 1) - 1; index >= 0; index -= 1) this.#siftDown(index)
  }

  #siftUp(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#keyAt(parent) <= this.#keyAt(index)) return
      this.#swap(parent, index)
      index = parent
    }
  }

  #siftDown(from: number): void {
    let index = from
    for (;;) {
      let least = index
      for (const child of [index * 2 + 1, index * 2 + 2]) {
        if (child < this.#entries.length && this.#keyAt(child) < this.#keyAt(least)) least = child
      }
      if (least === index) return
      this.#swap(least, index)
      index = least
    }
  }

  #keyAt(index: number): number {
    return this.#keyOf(this.#entries[index] as E)
  }

  #swap(one: number, other: number): void {
    const entry = this.#entries[one] as E
    this.#entries[one] = this.#entries[other] as E
    this.#entries[other] = entry
  }
}
