import type { StoredSession } from '../../core/store.ts'

/** What the store certainly has of a session: the state of this version. */
export interface SavedState {
  /** The name of the save in Redis. */
  readonly version: string
  /** The session's own idle timeout, in milliseconds. */
  readonly timeoutMs: number | undefined
  readonly owner: string | undefined
  /** Epoch milliseconds. */
  readonly lastActiveAt: number
}

/** What Redis keeps of a session for the store, in the field `k`; `session.lua.ts` has the others. */
export interface StoredState {
  /** Epoch milliseconds; `undefined`: that of the session in Redis. */
  readonly createdAt?: number | undefined
  /** `undefined` where the store may have any state. */
  readonly saved?: SavedState | undefined
}

/** `JSON.stringify(Infinity)` is `null`. */
const never = 'Infinity'

/**
 * Returns the state as the text of the field: a line of JSON, and a second one if there is a saved state, so
 * that a script can remove it.
 */
export function storedStateText({ createdAt, saved }: StoredState): string {
  const line = JSON.stringify({ createdAt })
  if (saved === undefined) return line
  const timeoutMs = saved.timeoutMs === Number.POSITIVE_INFINITY ? never : saved.timeoutMs
  return `${line}\n${JSON.stringify({ ...saved, timeoutMs })}`
}

/** Returns the state of a text that {@link storedStateText} or the script `newest` wrote. */
export function readStoredState(text: string): StoredState {
  if (text === '') return {}
  const [line = '', savedLine] = text.split('\n')
  const { createdAt } = JSON.parse(line)
  return { createdAt, saved: savedLine === undefined ? undefined : readSaved(savedLine) }
}

function readSaved(line: string): SavedState {
  const { version, timeoutMs, owner, lastActiveAt } = JSON.parse(line)
  return {
    version,
    timeoutMs: timeoutMs === never ? Number.POSITIVE_INFINITY : timeoutMs,
    owner,
    lastActiveAt,
  }
}

/** Returns the state of a session that was read from the store, and has this version in Redis. */
export function stateOfStored(stored: StoredSession, version: string): StoredState {
  const { createdAt, owner, timeoutMs, lastActiveAt } = stored
  return { createdAt, saved: { version, timeoutMs, owner, lastActiveAt } }
}
