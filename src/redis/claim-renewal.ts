import { realClock, type Timer } from '../core/clock.ts'
import type { ConstructionContext } from '../core/construction-context.ts'
import { SessionRegistryError } from '../core/errors.ts'
import { type Job, loseJob } from './archive-job.ts'
import type { ClaimStore } from './claim-store.ts'

/** Renews the leases of all that this process has claimed, every third of the lease. */
export class ClaimRenewal<T> {
  readonly #store: ClaimStore<T>
  readonly #leaseMs: number
  readonly #context: ConstructionContext
  readonly #jobs: () => Iterable<Job>
  #timer: Timer | undefined

  constructor(
    store: ClaimStore<T>,
    leaseMs: number,
    context: ConstructionContext,
    jobs: () => Iterable<Job>,
  ) {
    this.#store = store
    this.#leaseMs = leaseMs
    this.#context = context
    this.#jobs = jobs
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = this.#context.timer(realClock, () => void this.#renew(), this.#leaseMs / 3)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  async #renew(): Promise<void> {
    const shards = new Map<number, Job[]>()
    for (const job of this.#jobs()) {
      const { shard } = job.claim
      shards.set(shard, [...(shards.get(shard) ?? []), job])
    }
    this.#timer = undefined
    if (shards.size === 0) return
    // Before the answers: where Redis is slow, the next renewal is not to be late as well.
    this.start()
    await Promise.all([...shards].map(([shard, jobs]) => this.#extend(shard, jobs)))
  }

  async #extend(shard: number, jobs: readonly Job[]): Promise<void> {
    const now = realClock.now()
    try {
      const claims = jobs.map(({ claim }) => claim)
      const lost = await this.#store.extend(shard, claims)
      for (const job of jobs) {
        job.renewedAt = now
        if (lost.includes(job.claim)) loseJob(job, leaseLost())
      }
    } catch {
      // Redis cannot be asked: after the lease another process may have taken over.
      const until = realClock.now() - this.#leaseMs
      for (const job of jobs) if (job.renewedAt < until) loseJob(job, leaseLost())
    }
  }
}

function leaseLost(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_LOCK_LOST',
    'Expected to hold the lease of the session until it is archived, but another process has taken over',
  )
}
