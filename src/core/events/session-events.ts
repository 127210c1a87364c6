import type { EndReason, ExpiryReason } from '../end-reason.ts'
import type { Session } from '../session.ts'

/** What a sweep that ended something did. */
export interface SweepSummary {
  /** Sessions that this sweep ended or sent to the archive. */
  readonly expired: number
  /** Sessions left in the registry. */
  readonly remaining: number
  /** Milliseconds from its start to its end, the pauses between its slices included. */
  readonly durationMs: number
}

/**
 * The events of a registry, each with its arguments.
 *
 * `created` comes before every other event of a session; `ended` comes once, and last; `expired` comes just
 * before `ended` where the reason is a matter of time. Each is emitted when the registry already is in its
 * new state.
 */
export interface SessionEvents<T> {
  /** A session was created, or loaded by `load` or from the store. */
  created: [session: Session<T>]
  /**
   * A session has ended because it was idle for `timeoutMs`, or older than `maxAgeMs`. It comes when the
   * session is removed: for an id that is not used again, up to `intervalMs` after the deadline.
   *
   * With a `store`, an idle session has only left memory. To delete it there, call `delete` in the listener.
   */
  expired: [session: Session<T>, reason: ExpiryReason]
  /** A session has ended, for any reason. */
  ended: [session: Session<T>, reason: EndReason]
  /** A background sweep ended something, or sent it to the archive. */
  swept: [summary: SweepSummary]
  /** A contained failure: what a listener threw, or a `SessionRegistryError` of the registry itself. */
  error: [error: unknown]
}
