import type { SessionRecord } from '../session/session-record.ts'
import type { TurnRun } from './turn-run.ts'
import type { CopyValue } from './value-copy.ts'

/** Puts back the values of sessions whose turns have failed. Runs that join change nothing here. */
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

  /** The turn has failed: its session, if it still has it, gets back the value that it had before. */
  restore(run: TurnRun<T>): void {
    const { record, snapshot } = run
    if (record === undefined || snapshot === undefined) return
    run.isRolledBack = true
    // Runs that are nested in it may go on to write: the copy itself is for when the last of them has settled.
    record.value = run.nested > 0 ? this.#copyAgain(snapshot.value) : snapshot.value
  }

  /** A run has left its session. */
  onLeft({ root }: TurnRun<T>, record: SessionRecord<T>): void {
    if (root.snapshot === undefined || root.record !== undefined || root.nested > 0) return
    if (root.isRolledBack) record.value = root.snapshot.value
    root.snapshot = undefined
  }

  #copyAgain(value: T): T {
    try {
      return this.#copy(value)
    } catch {
      // A codec that copies a value only once: what it gave then is the best that there is.
      return value
    }
  }
}
