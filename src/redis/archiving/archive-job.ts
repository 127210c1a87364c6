import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
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
 * The pause after the first failed try; doubled after each further one. Long enough for a hiccup, short for a
 * person.
 */
const firstBackoffMs = 200

/** The longest pause. With it, the twelve attempts of the default are spread over three to five minutes. */
const maxBackoffMs = 120_000

/** The longest pause after a failed try, before jitter. */
export function archiveBackoffMs(attempt: number): number {
  return Math.min(firstBackoffMs * 2 ** (attempt - 1), maxBackoffMs)
}
