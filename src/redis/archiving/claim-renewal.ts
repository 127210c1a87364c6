import type { ConstructionContext } from '../../core/async/construction-context.ts'
import { realClock, type Timer } from '../../core/time/clock.ts'
import { leaseLostError } from './archive-errors.ts'
import { abandonJob, type Job } from './archive-job.ts'
import type { ClaimStore } from './claim-store.ts'

/**
 * The renewal of the leases of all claims of this process, every third of the lease.
 *
 * A claim whose lease was not renewed in time is abandoned at that very moment: another process may take
 * over, and the two must not archive side by side.
 */
export class ClaimRenewal<T> {
  readonly #store: ClaimStore<T>
  readonly #leaseMs: number
  readonly #context: ConstructionContext
  readonly #jobs: () => Iterable<Job>
  #timer: Timer | undefined
  #lapseTimer: Timer | undefined

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
    this.#timer ??= this.#context.timer(realClock, () => void this.#renew(), this.#leaseMs / 3)
    this.#scheduleLapse()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#lapseTimer?.cancel()
    this.#lapseTimer = undefined
  }

  #activeJobs(): Job[] {
    return [...this.#jobs()].filter(({ isLost }) => !isLost)
  }

  #scheduleLapse(): void {
    if (this.#lapseTimer !== undefined) return
    const activeJobs = this.#activeJobs()
    if (activeJobs.length === 0) return
    const lapsesAt = Math.min(...activeJobs.map(({ renewedAt }) => renewedAt)) + this.#leaseMs
    const onLapse = () => {
      this.#lapseTimer = undefined
      const until = realClock.now() - this.#leaseMs
      for (const job of this.#activeJobs()) if (job.renewedAt <= until) abandonJob(job, leaseLostError())
      this.#scheduleLapse()
    }
    this.#lapseTimer = this.#context.timer(realClock, onLapse, Math.max(lapsesAt - realClock.now(), 1))
  }

  async #renew(): Promise<void> {
    const shards = new Map<number, Job[]>()
    for (const job of this.#activeJobs()) {
      const { shard } = job.claim
      shards.set(shard, [...(shards.get(shard) ?? []), job])
    }
    this.#timer = undefined
    if (shards.size === 0) return
    // Before the replies: where Redis is slow, the next renewal must not be late as well.
    this.start()
    await Promise.all([...shards].map(([shard, jobs]) => this.#extend(shard, jobs)))
  }

  async #extend(shard: number, jobs: readonly Job[]): Promise<void> {
    // The lease counts from the call, not from the reply.
    const now = realClock.now()
    try {
      const claims = jobs.map(({ claim }) => claim)
      const lost = await this.#store.extend(shard, claims)
      for (const job of jobs) {
        job.renewedAt = now
        if (lost.includes(job.claim)) abandonJob(job, leaseLostError())
      }
    } catch {
      // Renewed again in time, or lapsed.
    }
  }
}
