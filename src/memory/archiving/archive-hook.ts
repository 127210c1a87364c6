import type { ArchiveReason } from '../../core/end-reason.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import type { RecordView, SessionRecord } from '../session/session-record.ts'

/** How a session is archived: by the hook of the user, or by a store. */
export interface ArchiveHook<T> {
  archive(
    record: SessionRecord<T>,
    reason: ArchiveReason,
    context: { readonly signal: AbortSignal; readonly attempt: number },
  ): unknown
  /** Whether a session that ends for this reason is in the archive afterwards. */
  keeps(reason: ArchiveReason): boolean
  /** Whether a failure means that the session was changed elsewhere: no attempt can succeed then. */
  isConflict(error: unknown): boolean
}

export interface ArchiverOptions {
  readonly archiveConcurrency: number
  readonly archiveAttempts: number
  readonly archiveTimeoutMs: number
}

/** Receives the sessions that were not archived while the registry closes. */
export interface ArchiveFailures<T> {
  /** The last attempt has failed. */
  onGivenUp(record: SessionRecord<T>): void
  /** It was changed elsewhere, and has ended. */
  onConflict(record: SessionRecord<T>): void
}

/** Archives by the hook of the user. */
export function archiveByHook<T>(
  archive: ArchiveSession<T> | undefined,
  viewOf: (record: SessionRecord<T>) => RecordView<T>,
): ArchiveHook<T> | undefined {
  if (archive === undefined) return undefined
  return {
    archive: (record, reason, context) => archive(viewOf(record), reason, context),
    keeps: () => true,
    isConflict: () => false,
  }
}
