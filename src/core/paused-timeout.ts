import type { Session } from './session.ts'

/** The default of `pausedTimeoutMs`: 7 days. An approval may wait over a weekend, and one that never comes must not stay. */
export const defaultPausedTimeoutMs = 604_800_000

/**
 * The idle timeouts that sessions had before they were paused.
 *
 * A list of messages has no place for it. In one process a session is one object for the whole of its life; where it is
 * another in each turn, as on Redis, the registry's own timeout is restored.
 */
const timeoutsBefore = new WeakMap<object, number>()

/** Assigns the idle timeout of a paused session, and restores the one before when it goes on. */
export function applyPause(
  session: Session<unknown>,
  wasPaused: boolean,
  isPaused: boolean,
  pausedTimeoutMs: number,
): void {
  if (isPaused) {
    if (!timeoutsBefore.has(session)) timeoutsBefore.set(session, session.timeoutMs)
    // Also where it was paused before: it may have been loaded into a session with the registry's timeout.
    session.timeoutMs = pausedTimeoutMs
  } else if (wasPaused) {
    session.timeoutMs = timeoutsBefore.get(session)
    timeoutsBefore.delete(session)
  }
}
