import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { usersOf } from '../session/session-users.ts'
import { noSlot } from '../table/session-table.ts'
import type { Saver } from './saver.ts'

/**
 * Writes the live sessions whose stored time of activity has fallen behind by a quarter of `keepMs`, before
 * the store is pruned: a session that is only read or held has no save of its own, and a crash after the
 * pruning would lose it.
 */
export class Refresher<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #saver: Saver<T>
  readonly #concurrency: number
  readonly #maxBehindMs: number

  constructor(
    lifecycle: Lifecycle<T>,
    saver: Saver<T>,
    options: { readonly archiveConcurrency: number; readonly keepMs: number },
  ) {
    this.#lifecycle = lifecycle
    this.#saver = saver
    this.#concurrency = options.archiveConcurrency
    this.#maxBehindMs = options.keepMs / 4
  }

  /** Returns whether all of them are written. A failure is an `error`, and nothing should be pruned then. */
  async refresh(): Promise<boolean> {
    const behind = this.#recordsBehind().values()
    const workers = Array.from({ length: this.#concurrency }, () => this.#saveAll(behind))
    const outcomes = await Promise.all(workers)
    return outcomes.every((isWritten) => isWritten)
  }

  #recordsBehind(): SessionRecord<T>[] {
    const { table } = this.#lifecycle
    const behind: SessionRecord<T>[] = []
    for (const slot of table.snapshot()) {
      const record = table.record(slot)
      // One without an entry was set, and the store does not have it yet.
      const storedAt = record?.stored?.lastActiveAt
      if (record === undefined || storedAt === undefined || storedAt === Number.NEGATIVE_INFINITY) continue
      if (this.#lifecycle.lastActiveAtOf(record) - storedAt >= this.#maxBehindMs) behind.push(record)
    }
    return behind
  }

  /** The workers share one iterator: each session is written once. */
  async #saveAll(records: IterableIterator<SessionRecord<T>>): Promise<boolean> {
    let isWritten = true
    for (const record of records) if (!(await this.#save(record))) isWritten = false
    return isWritten
  }

  #save(record: SessionRecord<T>): Promise<boolean> {
    return new Promise((resolve) => {
      if (record.slot === noSlot) {
        resolve(true)
        return
      }
      // What a running turn has changed so far is not to be written; its own save comes at its end.
      if (usersOf(record)?.running !== undefined) {
        resolve(false)
        return
      }
      this.#saver.save(record, (error) => {
        // The session has ended, or is another process's: it is not this one that keeps it.
        const isEnded = isSessionRegistryError(error, 'ERR_SESSION_ENDED')
        const isConflict = isSessionRegistryError(error, 'ERR_SESSION_STORE_CONFLICT')
        if (isConflict) this.#endReplaced(record)
        else if (error !== undefined && !isEnded)
          this.#lifecycle.events.reportError(error, 'session could not be kept in the store', record.id)
        resolve(error === undefined || isEnded || isConflict)
      })
    })
  }

  #endReplaced(record: SessionRecord<T>): void {
    this.#lifecycle.step.runInBackground(() => {
      this.#lifecycle.reportConflict(record)
      this.#lifecycle.endReplaced(record)
    })
  }
}
