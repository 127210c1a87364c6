/** The newest entries of a list that only grows. */
export class Ring<E> {
  readonly #max: number
  readonly #entries: E[] = []
  #next = 0

  constructor(max: number) {
    this.#max = max
  }

  add(entry: E): void {
    this.#entries[this.#next] = entry
    this.#next = (this.#next + 1) % this.#max
  }

  /** Returns the entries, the newest first. */
  newestFirst(): E[] {
    const { length } = this.#entries
    return this.#entries.map((_, at) => this.#entries[(this.#next - 1 - at + 2 * length) % length] as E)
  }
}
