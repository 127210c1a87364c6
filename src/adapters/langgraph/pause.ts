import { INTERRUPT } from '@langchain/langgraph-checkpoint'
import type { Session } from '../../core/session.ts'
import type { Thread } from './thread.ts'

/** Gives the session of a paused thread another idle timeout, and takes it back when the thread has gone on. */
export function applyPause(session: Session<Thread>, pausedTimeoutMs: number): void {
  const thread = session.value
  if (isPaused(thread)) {
    thread.timeoutBeforePauseMs ??= session.timeoutMs
    // Also where the thread was paused before: it may have been loaded into a session of its own timeout.
    session.timeoutMs = pausedTimeoutMs
  } else if (thread.timeoutBeforePauseMs !== undefined) {
    session.timeoutMs = thread.timeoutBeforePauseMs
    thread.timeoutBeforePauseMs = undefined
  }
}

/** Whether the newest checkpoint of the graph itself waits for an answer to an `interrupt`. */
function isPaused(thread: Thread): boolean {
  const root = thread.namespaces.get('')
  if (root?.newestId === undefined) return false
  return (root.writes.get(root.newestId) ?? []).some(({ channel }) => channel === INTERRUPT)
}
