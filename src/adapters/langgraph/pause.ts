import { INTERRUPT } from '@langchain/langgraph-checkpoint'
import type { Session } from '../../core/session.ts'
import { applyPause } from '../../core/time/paused-timeout.ts'
import type { Thread } from './thread.ts'

/**
 * Sets the idle timeout of the session of a paused thread, and restores the previous one when the thread goes
 * on.
 */
export function updatePause(session: Session<Thread>, pausedTimeoutMs: number): void {
  const thread = session.value
  const before = thread.timeoutBeforePauseMs
  const wasPaused = before !== undefined
  thread.timeoutBeforePauseMs = applyPause(session, wasPaused, isPaused(thread), pausedTimeoutMs, before)
}

/** Whether the newest checkpoint of the graph itself waits for an answer to an `interrupt`. */
function isPaused(thread: Thread): boolean {
  const root = thread.namespaces.get('')
  if (root?.newestId === undefined) return false
  return (root.writes.get(root.newestId) ?? []).some(({ channel }) => channel === INTERRUPT)
}
