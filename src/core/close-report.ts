import type { Session } from './session.ts'

/** What `close` did. */
export interface CloseReport<T> {
  /** Sessions that ended since `close` was called, those in `failed` included. */
  readonly ended: number
  /**
   * Sessions that were archived since `close` was called, those that were being archived already included.
   */
  readonly archived: number
  /** Sessions that could not be archived, with their values untouched. */
  readonly failed: readonly Session<T>[]
}
