import type { HookSignal } from '../../core/async/hook-call.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import type { RedisSession } from '../redis-session.ts'
import { expiryReasonOf } from '../storage/session-snapshot.ts'
import type { DurableStore } from '../storing/durable-store.ts'
import type { LoadedClaim } from './claim.ts'

/** Archives one incarnation, once. */
export type ArchiveOnce<T> = (loaded: LoadedClaim, session: RedisSession<T>, context: HookSignal) => unknown

/** Returns what archives sessions: the store, or the hook of the user; `undefined` where none is. */
export function archiveTarget<T>(
  durable: DurableStore<T> | undefined,
  archive: ArchiveSession<T> | undefined,
): ArchiveOnce<T> | undefined {
  if (durable !== undefined)
    return (loaded, _session, { signal }) => durable.archive(loaded, expiryReasonOf(loaded.snapshot), signal)
  if (archive === undefined) return undefined
  return ({ snapshot, attempt, isSuperseded }, session, context) =>
    archive(session, expiryReasonOf(snapshot), {
      // Made when it is first read.
      get signal() {
        return context.signal
      },
      attempt,
      ...(isSuperseded ? { superseded: true } : {}),
    })
}
