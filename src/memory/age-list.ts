import type { AgingSessionRecord } from './session-record.ts'

/**
 * The records of a registry with an absolute timeout, in order of creation, which is the order of their deadlines.
 *
 * A held record whose deadline has passed leaves the list; released, it comes back to the front, for it is over then.
 */
export class AgeList<T> {
  readonly #sentinel: AgingSessionRecord<T>

  constructor(sentinel: AgingSessionRecord<T>) {
    this.#sentinel = sentinel
  }

  get oldest(): AgingSessionRecord<T> | undefined {
    const { younger } = this.#sentinel
    return younger === this.#sentinel ? undefined : younger
  }

  has(record: AgingSessionRecord<T>): boolean {
    return record.younger !== record
  }

  append(record: AgingSessionRecord<T>): void {
    this.#insertAfter(record, this.#sentinel.older)
  }

  prepend(record: AgingSessionRecord<T>): void {
    this.#insertAfter(record, this.#sentinel)
  }

  remove(record: AgingSessionRecord<T>): void {
    record.older.younger = record.younger
    record.younger.older = record.older
    record.older = record
    record.younger = record
  }

  #insertAfter(record: AgingSessionRecord<T>, older: AgingSessionRecord<T>): void {
    const younger = older.younger
    record.older = older
    record.younger = younger
    older.younger = record
    younger.older = record
  }
}
