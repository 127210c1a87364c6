/** The entry of a value in a {@link LinkedQueue}. */
export interface QueueEntry<T> {
  readonly value: T
  /** Removes the value from its queue, in constant time. Returns whether it was still in it. */
  remove(): boolean
}

class Link<T> implements QueueEntry<T> {
  readonly value: T
  previous: Link<T> | undefined = undefined
  next: Link<T> | undefined = undefined
  #queue: LinkedQueue<T> | undefined

  constructor(value: T, queue: LinkedQueue<T>) {
    this.value = value
    this.#queue = queue
  }

  remove(): boolean {
    const queue = this.#queue
    if (queue === undefined) return false
    queue.unlink(this)
    // An entry often outlives its place: it must not keep its former neighbours.
    this.#queue = undefined
    this.previous = undefined
    this.next = undefined
    return true
  }
}

/**
 * A first-in, first-out queue with removal of any entry in constant time: a doubly linked list.
 *
 * An array searches for the entry and moves those behind it; with tens of thousands of waiting calls that
 * abort, this blocks the event loop for seconds. A `Set` steps over the deleted entries at its front.
 */
export class LinkedQueue<T> implements Iterable<T> {
  #first: Link<T> | undefined = undefined
  #last: Link<T> | undefined = undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The value that {@link shift} would return. */
  get first(): T | undefined {
    return this.#first?.value
  }

  /** Adds a value at the end. */
  push(value: T): QueueEntry<T> {
    const link = new Link(value, this)
    link.previous = this.#last
    if (this.#last === undefined) this.#first = link
    else this.#last.next = link
    this.#last = link
    this.#size += 1
    return link
  }

  /** Adds a value at the front. */
  unshift(value: T): QueueEntry<T> {
    const link = new Link(value, this)
    link.next = this.#first
    if (this.#first === undefined) this.#last = link
    else this.#first.previous = link
    this.#first = link
    this.#size += 1
    return link
  }

  /** Removes and returns the first value; `undefined` if there is none. */
  shift(): T | undefined {
    const first = this.#first
    first?.remove()
    return first?.value
  }

  /** Removes and returns all values in their order. */
  takeAll(): T[] {
    const values: T[] = []
    for (let value = this.shift(); value !== undefined; value = this.shift()) values.push(value)
    return values
  }

  /** Iterates the values in their order, as they are at the start. */
  [Symbol.iterator](): ArrayIterator<T> {
    const values: T[] = []
    for (let link = this.#first; link !== undefined; link = link.next) values.push(link.value)
    return values.values()
  }

  /** Only for {@link QueueEntry.remove}. */
  unlink({ previous, next }: Pick<Link<T>, 'previous' | 'next'>): void {
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    this.#size -= 1
  }
}
