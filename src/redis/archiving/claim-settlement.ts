import type { Job } from './archive-job.ts'
import type { Claim, ClaimLoadResult, ClaimOutcome } from './claim.ts'
import type { ClaimStore } from './claim-store.ts'

/** A shard in which something will be due. */
export interface NextDeadline {
  readonly shard: number
  readonly inMs: number
}

/** The beginning and the end of attempts: what becomes of a claimed incarnation in Redis. */
export class ClaimSettlement<T> {
  readonly #store: ClaimStore<T>
  /** Called with a shard in which something will be due. */
  readonly #onDue: (due: NextDeadline) => void

  constructor(store: ClaimStore<T>, onDue: (due: NextDeadline) => void) {
    this.#store = store
    this.#onDue = onDue
  }

  /** Begins the archive of a claim; releases it if that fails. */
  async load(claim: Claim): Promise<ClaimLoadResult> {
    try {
      return await this.#store.load(claim)
    } catch (error) {
      // The attempt may have been counted, but the hook was not called.
      void this.release(claim)
      throw error
    }
  }

  /** Settles a claim. Returns whether the lease was still this process's. */
  async settle({ claim }: Job, outcome: ClaimOutcome): Promise<boolean> {
    const settled = await this.#store.settle(claim, outcome)
    const { shard } = claim
    if (outcome.kind === 'retry') this.#onDue({ shard, inMs: outcome.pauseMs })
    else if (settled === 'next' || settled === 'deleted') this.#onDue({ shard, inMs: 0 })
    return settled !== 'lost' && settled !== 'deleted'
  }

  /** Releases a claim without an attempt. Never rejects: on a failure the lease lapses. */
  async release(claim: Claim): Promise<void> {
    try {
      if ((await this.#store.settle(claim, { kind: 'release' })) !== 'deleted') return
      this.#onDue({ shard: claim.shard, inMs: 0 })
    } catch {}
  }
}
