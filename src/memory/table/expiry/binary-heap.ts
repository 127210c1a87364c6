/** A binary min-heap of entries by a key that does not change. */
export class BinaryHeap<E> {
  readonly #isBefore: (one: E, other: E) => boolean
  #entries: E[] = []

  constructor(isBefore: (one: E, other: E) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#entries.length
  }

  /** An entry that no other is before. */
  get first(): E | undefined {
    return this.#entries[0]
  }

  push(entry: E): void {
    this.#entries.push(entry)
    this.#siftUp(this.#entries.length - 1)
  }

  /** Removes {@link first}. */
  shift(): void {
    const last = this.#entries.pop()
    if (last === undefined || this.#entries.length === 0) return
    this.#entries[0] = last
    this.#siftDown(0)
  }

  /** Keeps only the entries that pass; costs a few steps for each entry. */
  filter(passes: (entry: E) => boolean): void {
    this.#entries = this.#entries.filter(passes)
    for (let index = (this.#entries.length >> 1) - 1; index >= 0; index -= 1) this.#siftDown(index)
  }

  #siftUp(from: number): void {
    const entry = this.#entries[from] as E
    let index = from
    while (index > 0) {
      const at = (index - 1) >> 1
      const parent = this.#entries[at] as E
      if (!this.#isBefore(entry, parent)) break
      this.#entries[index] = parent
      index = at
    }
    this.#entries[index] = entry
  }

  #siftDown(from: number): void {
    const entries = this.#entries
    const entry = entries[from] as E
    let index = from
    for (;;) {
      let at = index * 2 + 1
      if (at >= entries.length) break
      if (at + 1 < entries.length && this.#isBefore(entries[at + 1] as E, entries[at] as E)) at += 1
      const child = entries[at] as E
      if (!this.#isBefore(child, entry)) break
      entries[index] = child
      index = at
    }
    entries[index] = entry
  }
}
