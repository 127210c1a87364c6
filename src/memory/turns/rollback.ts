import type { SessionRecord } from '../session/session-record.ts'
import type { TurnRun } from './turn-run.ts'
import type { CopyValue } from './value-copy.ts'

/** The copies of values that `rollback` takes and puts back. Runs that join take none. */
export class Rollback<T> {
  readonly #copy: CopyValue<T>

  constructor(copy: CopyValue<T>) {
    this.#copy = copy
  }

  /**
   * Takes a copy of the value before the turn begins.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
   */
  takeSnapshot(run: TurnRun<T>, record: SessionRecord<T>): void {
    if (!run.joins) run.snapshot = { value: this.#copy(record.value) }
  }

  /** Puts back the value of a turn that failed, if the session is still its own. */
  restore(run: TurnRun<T>): void {
    const { record, snapshot } = run
    if (record === undefined || snapshot === undefined) return
    run.isRolledBack = true
    // Nested runs may go on to write. The copy itself is put back when the last of them has settled.
    record.value = run.nested > 0 ? this.#copyAgain(snapshot.value) : snapshot.value
  }

  /**
   * Drops the copy when a turn and all runs nested in it have left the session, after putting it back once
   * more.
   */
  onLeft({ root }: TurnRun<T>, record: SessionRecord<T>): void {
    if (root.snapshot === undefined || root.record !== undefined || root.nested > 0) return
    if (root.isRolledBack) record.value = root.snapshot.value
    root.snapshot = undefined
  }

  #copyAgain(value: T): T {
    try {
      return this.#copy(value)
    } catch {
      // The codec copied the value before and fails now: the copy itself is the best there is.
      return value
    }
  }
}
