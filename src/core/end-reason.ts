/**
 * The reason why a session ended.
 *
 * - `idle`: no activity for its idle timeout
 * - `age`: it reached the registry's absolute timeout, however active
 * - `capacity`: evicted for another session
 * - `deleted`: by `delete` or `clear`
 * - `replaced`: `replace` of its id started a new session
 * - `closed`: the registry was closed
 */
export type EndReason = 'idle' | 'age' | 'capacity' | 'deleted' | 'replaced' | 'closed'

/** The reasons of an expired session: only they are emitted by `expired`. */
export type ExpiryReason = Extract<EndReason, 'idle' | 'age'>

/** The reasons for which the value of a session is archived before it ends. */
export type ArchiveReason = Extract<EndReason, 'idle' | 'age' | 'capacity' | 'closed'>

/** Returns why an expired session has expired: the deadline that came first. */
export function expiryReason(idleDeadline: number, ageDeadline: number): ExpiryReason {
  return ageDeadline < idleDeadline ? 'age' : 'idle'
}

export function isExpiryReason(reason: EndReason): reason is ExpiryReason {
  return reason === 'idle' || reason === 'age'
}
