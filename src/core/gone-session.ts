import type { EndReason } from './end-reason.ts'

/** Why and when a session ended. */
export interface GoneSession {
  readonly reason: EndReason
  /** Epoch milliseconds; of an expired session, its deadline. */
  readonly endedAt: number
}
