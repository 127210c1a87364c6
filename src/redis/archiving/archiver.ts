import type { HookSignal } from '../../core/async/hook-call.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { archiveFailedError, archiveTimeoutError, endedDuringError } from '../../core/errors/turn-errors.ts'
import { backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { RedisSession } from '../redis-session.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import { expiryReasonOf } from '../storage/session-snapshot.ts'
import type { DurableStore } from '../storing/durable-store.ts'
import { ArchiveCalls } from './archive-calls.ts'
import { dataLostError, isAbortedByClose, stoppedError } from './archive-errors.ts'
import { abandonJob, archiveBackoff, type Job } from './archive-job.ts'
import { type ArchiveOnce, archiveTarget } from './archive-target.ts'
import type { Claim } from './claim.ts'
import { ClaimRenewal } from './claim-renewal.ts'
import { ClaimSettlement, type NextDeadline } from './claim-settlement.ts'
import type { ClaimStore } from './claim-store.ts'
import { DeletionJobs } from './deletion-job.ts'
import { JobAbort } from './job-abort.ts'

/** Sessions that are ended at once where there is no hook. */
const immediateConcurrency = 64

/**
 * The archiver: ends the expired sessions that this process has claimed.
 *
 *   poller.ts                 watches the deadlines of each shard, and claims what is due
 *     └▶ archiver.ts          queues claims; for each: loads and seals it, archives it, acknowledges
 *         ├ archive-job.ts    a claim in this process
 *         ├ archive-calls.ts  the running calls of the hook or the store, with their timeout
 *         ├ deletion-job.ts   deletions from the store, which are claims as well
 *         ├ claim-settlement.ts  loads; acknowledges, retries, releases
 *         └ claim-renewal.ts  renews the leases; a claim whose lease has lapsed is abandoned
 *   claim-store.ts, dead-letter-store.ts      the scripts; claim-batches.ts: of claims that share a call
 *   archiver-heartbeat.ts     whether some process archives
 *   claim-reports.ts          events and errors of the poller, with clock-jump-detector.ts
 *
 * Only an acknowledged archive is removed from Redis.
 */
export class Archiver<T> {
  /** The running calls of the hook or the store. */
  readonly calls: ArchiveCalls
  readonly deletions: DeletionJobs<T>
  readonly #log: SnapshotLog<T>
  readonly #pending: PendingWork
  readonly #options: ResolvedRedisOptions<T>
  readonly #durable: DurableStore<T> | undefined
  readonly #archiveOnce: ArchiveOnce<T> | undefined
  readonly #settlement: ClaimSettlement<T>
  readonly #renewal: ClaimRenewal<T>
  readonly #concurrency: number
  readonly jobs = new Set<Job>()
  #queue: Job[] = []
  /** Jobs from their load until their hook has settled. */
  readonly #running = new Set<Job>()
  #isClosing = false
  /** Sessions whose archive the deadline of `close` aborted. */
  readonly abortedAtDeadline: RedisSession<T>[] = []
  /** Called when more can be claimed, and with a shard in which something will be due. */
  onCapacity: ((due?: NextDeadline) => void) | undefined = undefined
  /** Called when an incarnation of this id was archived or dead-lettered. */
  onSettled: ((id: string) => void) | undefined = undefined

  /** Called with a claim that was lost, when its call has settled or timed out. */
  onLost: ((claim: Claim) => void) | undefined = undefined

  constructor(
    owner: object,
    store: ClaimStore<T>,
    log: SnapshotLog<T>,
    pending: PendingWork,
    durable: DurableStore<T> | undefined,
    options: ResolvedRedisOptions<T>,
  ) {
    const { context } = log.events
    this.#log = log
    this.#pending = pending
    this.#options = options
    this.#durable = durable
    this.#archiveOnce = archiveTarget(durable, options.archive)
    this.#concurrency = options.canArchive ? options.archiveConcurrency : immediateConcurrency
    this.calls = new ArchiveCalls(
      { owner, step: log.step, clock: realClock, pending },
      options.archiveTimeoutMs,
    )
    this.#settlement = new ClaimSettlement(store, (due) => this.onCapacity?.(due))
    const { calls } = this
    this.deletions = new DeletionJobs({ durable, calls, settlement: this.#settlement, log }, options)
    this.#renewal = new ClaimRenewal(store, options.leaseMs, context, () => this.jobs)
  }

  /** Whether sessions are archived: there is an `archive` hook, or a store. */
  get isArchiving(): boolean {
    return this.#options.canArchive
  }

  /** Whether this process may claim an incarnation that one of its callers waits for. */
  get canClaimForCaller(): boolean {
    const { canArchive, archives, intervalMs } = this.#options
    return canArchive && archives && intervalMs !== Number.POSITIVE_INFINITY && !this.#isClosing
  }

  /** The number of claims of this process. */
  get count(): number {
    return this.jobs.size
  }

  /** The number of claims to take: as many as run may be queued, the rest is left to other processes. */
  get freeCapacity(): number {
    return Math.max(2 * this.#concurrency - this.jobs.size, 0)
  }

  /** Queues claims. Fulfils when they are settled. */
  async add(claims: readonly Claim[]): Promise<void> {
    const settled = claims.map((claim) => this.#enqueue(claim, (job) => this.#queue.push(job)))
    this.#start()
    await Promise.all(settled)
  }

  /** Queues a claim that a caller waits for, ahead of all others. */
  addFirst(claim: Claim): void {
    void this.#enqueue(claim, (job) => this.#queue.unshift(job))
    this.#start()
  }

  /** Abandons the archives of incarnations that were deleted here. */
  abandon(id: string, incarnations: ReadonlySet<string>): void {
    for (const job of this.jobs) {
      if (job.claim.id !== id || !incarnations.has(job.claim.incarnation)) continue
      this.#log.events.context.run(() => abandonJob(job, endedDuringError('archive', 'deleted')))
      this.calls.markDeleted(id)
    }
  }

  /**
   * Releases what was not begun, and what is claimed from now on. Never rejects: on a failure the leases
   * lapse.
   */
  async releaseQueued(): Promise<void> {
    this.#isClosing = true
    const waiting = this.#queue
    this.#queue = []
    await Promise.all(
      waiting.map((job) => {
        // Finished whatever the outcome of the call: a claim that is kept would be renewed for ever.
        this.#finish(job)
        return job.isLost ? undefined : this.#settlement.release(job.claim)
      }),
    )
  }

  /** Aborts the running archives at the deadline of `close`. */
  abortAll(error: SessionRegistryError): void {
    this.#log.events.context.run(() => {
      for (const job of this.jobs) job.abort.abort(error)
    })
  }

  /** Abandons what is still running: other processes take it over when the leases lapse. */
  abandonAll(error: SessionRegistryError): void {
    this.#log.events.context.run(() => {
      for (const job of this.jobs) {
        abandonJob(job, error)
        this.#finish(job)
      }
    })
  }

  #enqueue(claim: Claim, enqueue: (job: Job) => void): Promise<void> {
    const finished = new Promise<void>((finish) => {
      const { claimedAt: renewedAt } = claim
      const job: Job = { claim, abort: new JobAbort(), isLost: false, renewedAt, finish }
      this.jobs.add(job)
      enqueue(job)
    })
    return this.#pending.track(finished)
  }

  #start(): void {
    if (this.#isClosing) void this.releaseQueued()
    this.#pump()
    this.#renewal.start()
  }

  #pump(): void {
    while (this.#running.size < this.#concurrency) {
      const job = this.#queue.shift()
      if (job === undefined) return
      this.#running.add(job)
      this.#log.events.context.run(() => void this.#process(job))
    }
  }

  /** The hook of the job has settled: another may be called while this one is acknowledged. */
  #leave(job: Job): void {
    if (this.#running.delete(job)) this.#pump()
  }

  async #process(job: Job): Promise<void> {
    try {
      if (!job.isLost) await this.#archive(job)
    } catch (error) {
      // Redis does not reply: the lease lapses, and another process takes over.
      this.#log.failed(error, 'expired session could not be ended', job.claim.id)
    } finally {
      this.#leave(job)
      this.#finish(job)
      if (job.isLost) this.onLost?.(job.claim)
    }
  }

  async #archive(job: Job): Promise<void> {
    const { claim } = job
    // The hook of an abandoned incarnation of the id may still write.
    await this.calls.running(claim.id)
    if (job.isLost) return
    const loaded = await this.#settlement.load(claim)
    if (loaded.state === 'lost') this.#log.failed(dataLostError(), 'expired session was lost', claim.id)
    if (loaded.state !== 'loaded') return
    job.loaded = { ...loaded, at: realClock.now() }
    if (job.abort.isAborted) {
      // The attempt was counted, but the hook is not called.
      await this.#settlement.release(claim)
      return
    }
    const { snapshot, attempt } = loaded
    if (loaded.isDeletion) {
      if (await this.deletions.run(job, attempt)) this.onSettled?.(claim.id)
      return
    }
    const archive = this.#archiveOnce
    const { archiveAttempts } = this.#options
    const reason = expiryReasonOf(snapshot)
    const session = this.#log.sessionOf(snapshot)
    if (archive !== undefined) {
      if (attempt > archiveAttempts) {
        await this.#deadLetter(job, session, reason, stoppedError())
        return
      }
      try {
        const call = (context: HookSignal) => archive(loaded, session, context)
        const traced = { incarnation: claim.incarnation, reason, attempt }
        const { abort } = job
        await this.calls.run({ id: claim.id, call, timeoutError: archiveTimeoutError, abort, traced })
      } catch (error) {
        if (!job.isLost) await this.#onFailed(job, attempt, session, reason, error)
        return
      }
    }
    this.#leave(job)
    if (job.isLost || !(await this.#settlement.settle(job, { kind: 'ack' }))) return
    if (archive !== undefined) this.#log.counters.archived += 1
    this.#log.endedInBackground(snapshot, reason, session)
    this.onSettled?.(claim.id)
  }

  async #onFailed(
    job: Job,
    attempt: number,
    session: RedisSession<T>,
    reason: ExpiryReason,
    error: unknown,
  ): Promise<void> {
    const { id } = job.claim
    this.#log.archiveFailed(id, attempt, error)
    await this.#durable?.whenSettled(id, this.#options.leaseMs)
    if (job.isLost) return
    if (isAbortedByClose(job.abort)) {
      this.abortedAtDeadline.push(session)
      await this.#settlement.settle(job, { kind: 'retry', pauseMs: 0 })
      return
    }
    if (attempt >= this.#options.archiveAttempts) await this.#deadLetter(job, session, reason, error)
    else
      await this.#settlement.settle(job, {
        kind: 'retry',
        pauseMs: jitter(backoffMs(attempt, archiveBackoff)),
      })
  }

  async #deadLetter(job: Job, session: RedisSession<T>, reason: ExpiryReason, cause: unknown): Promise<void> {
    if (!(await this.#settlement.settle(job, { kind: 'deadLetter', reason }))) return
    const error = archiveFailedError('is a dead letter now', session, cause)
    this.#log.failed(error, 'session could not be archived', job.claim.id)
    this.onSettled?.(job.claim.id)
  }

  #finish(job: Job): void {
    if (!this.jobs.delete(job)) return
    if (this.jobs.size === 0) this.#renewal.stop()
    job.finish()
    if (this.jobs.size <= this.#concurrency) this.onCapacity?.()
  }
}
