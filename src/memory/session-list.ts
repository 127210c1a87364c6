import type { SessionRecord } from './session-record.ts'

/**
 * A doubly linked list of records; each record is in one list at most.
 *
 * Circular around a sentinel, so that a record leaves its list without knowing which one it is.
 */
export class SessionList<T> {
  readonly #sentinel: SessionRecord<T>

  constructor(sentinel: SessionRecord<T>) {
    this.#sentinel = sentinel
  }

  get first(): SessionRecord<T> | undefined {
    const { next } = this.#sentinel
    return next === this.#sentinel ? undefined : next
  }

  get last(): SessionRecord<T> | undefined {
    const { prev } = this.#sentinel
    return prev === this.#sentinel ? undefined : prev
  }

  append(record: SessionRecord<T>): void {
    this.insertAfter(record, this.#sentinel.prev)
  }

  /** Puts `record` after `place`, or at the front. */
  insertAfter(record: SessionRecord<T>, place: SessionRecord<T> | undefined): void {
    const prev = place ?? this.#sentinel
    const next = prev.next
    record.prev = prev
    record.next = next
    prev.next = record
    next.prev = record
  }

  /** Moves all of `other` to the end of this list, at no cost per record. */
  takeAll(other: SessionList<T>): void {
    const first = other.first
    const last = other.last
    if (first === undefined || last === undefined) return
    const mine = this.#sentinel
    first.prev = mine.prev
    mine.prev.next = first
    last.next = mine
    mine.prev = last
    other.#sentinel.next = other.#sentinel
    other.#sentinel.prev = other.#sentinel
  }

  /** The record before `record`, if it is not the first. */
  before(record: SessionRecord<T>): SessionRecord<T> | undefined {
    return record.prev === this.#sentinel ? undefined : record.prev
  }

  *[Symbol.iterator](): Generator<SessionRecord<T>, void, undefined> {
    for (let record = this.#sentinel.next; record !== this.#sentinel; record = record.next) yield record
  }
}

/** Takes `record` out of whatever list it is in. */
export function unlink<T>(record: SessionRecord<T>): void {
  const { prev, next } = record
  prev.next = next
  next.prev = prev
  // A record that somebody keeps after its end must not keep its former neighbours.
  record.prev = record
  record.next = record
}
