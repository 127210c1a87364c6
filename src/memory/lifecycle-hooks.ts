import type { ArchiveReason, EndReason } from '../core/end-reason.ts'
import type { SessionRecord } from './session/session-record.ts'
import type { Slot } from './table/session-table.ts'

/** Takes a session that has ended; see `Disposer`. */
type DisposeRecord<T> = (
  record: SessionRecord<T>,
  reason: EndReason,
  options: { readonly isArchived: boolean; readonly waits: boolean },
) => void

/** What other components do about a transition, at once; see `wiring.ts`. */
export interface LifecycleHooks<T> {
  /** Takes a session that is to be archived; `undefined` where nothing is archived. */
  readonly archive: ((record: SessionRecord<T>, reason: ArchiveReason) => void) | undefined
  /** Takes a session whose value is to be disposed of before it is told to have ended. */
  readonly dispose: DisposeRecord<T> | undefined
  /** A session is in the table: created, loaded, or restored. */
  readonly onCreated: (id: string, slot: Slot) => void
  /** The number of sessions that can expire may have changed. */
  readonly onExpirableCountChanged: () => void
  /** The last user of a session has left it. */
  readonly onReleased: (slot: Slot) => void
  /** A session ended while it was in use. */
  readonly onEndedInUse: (record: SessionRecord<T>) => void
  /** A session that a store has, or may be getting, has ended: no save of it may be tried again. */
  readonly onStoredEnded: (record: SessionRecord<T>) => void
}
