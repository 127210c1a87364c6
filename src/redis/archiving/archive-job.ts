import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { Backoff } from '../../core/time/backoff.ts'
import type { Claim, LoadedClaim } from './claim.ts'
import type { JobAbort } from './job-abort.ts'

/** A claim of this process, from the claim until it is settled or lost. */
export interface Job {
  readonly claim: Claim
  /** Aborts the call of the hook. */
  readonly abort: JobAbort
  /** Whether the lease or the incarnation is gone: the claim is not this process's to settle. */
  isLost: boolean
  /** Monotonic time of the last renewal. */
  renewedAt: number
  readonly finish: () => void
  /** What was loaded for it, and when, in monotonic time; absent until then. */
  loaded?: LoadedClaim & { readonly at: number }
}

/** Marks a job as lost and aborts its hook: what the hook does from now on has no effect. */
export function abandonJob(job: Job, error: SessionRegistryError): void {
  job.isLost = true
  job.abort.abort(error)
}

/**
 * The pauses between the attempts to archive a session. The first is long enough for a short outage, and
 * short for a person who waits; with the longest, the default number of attempts is spread over some minutes.
 */
export const archiveBackoff: Backoff = { firstMs: 200, maxMs: 120_000 }
