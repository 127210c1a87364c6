import type { ArchiveReason } from './end-reason.ts'
import type { Session } from './session.ts'

/** Makes the value of a new session. */
export type CreateSession<T> = (id: string) => T

/** Brings back the value of an archived session; `undefined` where there is none. `signal` aborts when nobody waits any more. */
export type LoadSession<T> = (id: string, context: { readonly signal: AbortSignal }) => Promise<T | undefined>

/** Puts a session's value away before it is let go. `attempt` counts from 1. */
export type ArchiveSession<T> = (
  session: Session<T>,
  reason: ArchiveReason,
  context: { readonly signal: AbortSignal; readonly attempt: number },
) => Promise<void>
