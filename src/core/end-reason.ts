/**
 * Why a session ended.
 *
 * - `idle`: no activity for its idle timeout
 * - `age`: it reached the registry's absolute timeout, however active
 * - `capacity`: evicted to make room for another session
 * - `deleted`: `delete` or `clear`
 * - `replaced`: `replace` on its id started a new session
 * - `closed`: the registry was closed
 */
export type EndReason = 'idle' | 'age' | 'capacity' | 'deleted' | 'replaced' | 'closed'

/** The two reasons that are a matter of time; only they are announced by `expired`. */
export type ExpiryReason = Extract<EndReason, 'idle' | 'age'>

/** The reasons for which a session's value is archived before it is let go. */
export type ArchiveReason = Extract<EndReason, 'idle' | 'age' | 'capacity' | 'closed'>

export function isExpiryReason(reason: EndReason): reason is ExpiryReason {
  return reason === 'idle' || reason === 'age'
}
