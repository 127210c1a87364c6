import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { Backoff } from '../../core/time/backoff.ts'
import type { Claim } from './claim-store.ts'

/** A claim in the hands of this process. */
export interface Job {
  readonly claim: Claim
  /** Aborts the call of the hook. */
  readonly controller: AbortController
  /** The lease is gone: whatever comes of the call, it is another's to settle. */
  isLost: boolean
  /** Monotonic time. */
  renewedAt: number
  readonly finish: () => void
}

/** Its lease, or its life, is gone: what the hook does from now on changes nothing. */
export function abandonJob(job: Job, error: SessionRegistryError): void {
  job.isLost = true
  job.controller.abort(error)
}

/**
 * The pauses between the tries of an archive. The first is long enough for a hiccup and short for a person; with
 * the longest, the twelve attempts of the default are spread over three to five minutes.
 */
export const archiveBackoff: Backoff = { firstMs: 200, maxMs: 120_000 }
