import type { Session } from './session.ts'

/** The result of `close`. */
export interface CloseReport<T> {
  /** Sessions that ended since `close` was called, those in `failed` included. */
  readonly ended: number
  /**
   * Sessions that were archived since `close` was called, or that are in the store, including those whose
   * archive was running already.
   */
  readonly archived: number
  /** Sessions that could not be archived, with their values untouched. */
  readonly failed: readonly Session<T>[]
}
