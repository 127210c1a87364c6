import type { Session } from '../session.ts'

/**
 * The default of `pausedTimeoutMs`: 7 days. An approval may wait over a weekend, and one that never comes
 * must not stay.
 */
export const defaultPausedTimeoutMs = 604_800_000

/**
 * The idle timeouts that sessions had before they were paused.
 *
 * A list of messages has no place for it, and a turn that is rolled back takes what its value says along. In
 * one process a session is one object for the whole of its life; where it is another in each turn, as on
 * Redis, and the value does not say it, the registry's own timeout is restored.
 */
const timeoutsBefore = new WeakMap<object, number>()

/**
 * Assigns the idle timeout of a paused session, and restores the one before when it goes on.
 *
 * `timeoutBefore`: what the value says that it was. Returns what it is to say from now on: `undefined` where
 * the session is not paused.
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
    // Also where it was paused before: it may have been loaded into a session with the registry's timeout.
    session.timeoutMs = pausedTimeoutMs
    return before
  }
  if (wasPaused || timeoutBefore !== undefined) session.timeoutMs = timeoutBefore
  timeoutsBefore.delete(session)
  return undefined
}
