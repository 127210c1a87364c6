import type { Session } from '../session.ts'

/**
 * Default of `pausedTimeoutMs`, in milliseconds (7 days): an approval may wait over a weekend, and one that
 * never comes must not keep the session.
 */
export const defaultPausedTimeoutMs = 604_800_000

/**
 * The idle timeouts that sessions had before they were paused.
 *
 * The value of a session may have no field for it, and a rollback restores the value without it. In one
 * process, a session is one object from creation to end. On Redis it is another object in each turn; if the
 * value has no field for it, the registry's timeout is restored.
 */
const timeoutsBefore = new WeakMap<object, number>()

/**
 * Assigns the idle timeout of a paused session, and restores the previous one when the session goes on.
 *
 * `timeoutBefore` is the previous timeout as the value keeps it. Returns what the value should keep:
 * `undefined` unless the session is paused.
 */
export function applyPause(
  session: Session<unknown>,
  wasPaused: boolean,
  isPaused: boolean,
  pausedTimeoutMs: number,
  timeoutBefore = timeoutsBefore.get(session),
): number | undefined {
  if (isPaused) {
    const before = timeoutBefore ?? session.timeoutMs
    timeoutsBefore.set(session, before)
    // Also if it was paused before: it may have been loaded into a session with the registry's timeout.
    session.timeoutMs = pausedTimeoutMs
    return before
  }
  if (wasPaused || timeoutBefore !== undefined) session.timeoutMs = timeoutBefore
  timeoutsBefore.delete(session)
  return undefined
}
