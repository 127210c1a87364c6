import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import { isSessionRegistryError, SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { endedDuringError } from '../../core/errors/turn-errors.ts'
import { backoffMs, jitter } from '../../core/time/backoff.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { RedisSession } from '../redis-session.ts'
import type { SessionLog } from '../session-log.ts'
import { expiryReason } from '../storage/session-snapshot.ts'
import { ArchiveCalls } from './archive-calls.ts'
import { abandonJob, archiveBackoff, type Job } from './archive-job.ts'
import { ClaimRenewal } from './claim-renewal.ts'
import type { Claim, ClaimOutcome, ClaimStore } from './claim-store.ts'

/** Lives that are ended at once where there is nothing to archive. */
const immediateConcurrency = 64

/** Something will be due in this shard. */
export interface NextDeadline {
  readonly shard: number
  readonly inMs: number
}

/** Ends lives that this process has claimed: archives them, and only then lets them be deleted. */
export class Archiver<T> {
  readonly #store: ClaimStore<T>
  readonly #log: SessionLog<T>
  readonly #pending: PendingWork
  readonly #options: ResolvedRedisOptions<T>
  readonly #calls: ArchiveCalls<T>
  readonly #hooksOfDeleted = new Map<string, Promise<void>>()
  readonly #renewal: ClaimRenewal<T>
  readonly #concurrency: number
  readonly #jobs = new Set<Job>()
  #queue: Job[] = []
  #running = 0
  #isClosing = false
  /** Sessions whose archive was cut short by the deadline of `close`. */
  readonly abortedAtDeadline: RedisSession<T>[] = []
  /** Called when there is room for more claims; with a shard where something will be due. */
  onCapacity: ((due?: NextDeadline) => void) | undefined = undefined
  /** Called when a life of this id is archived or given up. */
  onSettled: ((id: string) => void) | undefined = undefined

  constructor(
    owner: object,
    store: ClaimStore<T>,
    log: SessionLog<T>,
    pending: PendingWork,
    options: ResolvedRedisOptions<T>,
  ) {
    const { context } = log.events
    this.#store = store
    this.#log = log
    this.#pending = pending
    this.#options = options
    this.#concurrency = options.archive === undefined ? immediateConcurrency : options.archiveConcurrency
    this.#calls = new ArchiveCalls(owner, context, pending, options.archiveTimeoutMs)
    this.#renewal = new ClaimRenewal(store, options.leaseMs, context, () => this.#jobs)
  }

  /** Whether there is a hook that may take its time. */
  get hasHook(): boolean {
    return this.#options.archive !== undefined
  }

  /** Whether this process may claim a life that one of its callers waits for. */
  get canClaimForCaller(): boolean {
    const { archive, archives, intervalMs } = this.#options
    return archive !== undefined && archives && intervalMs !== Number.POSITIVE_INFINITY && !this.#isClosing
  }

  /** Claims in hand. */
  get count(): number {
    return this.#jobs.size
  }

  /** How many more to claim: as many as are under way may wait, the rest is left to other processes. */
  get freeCapacity(): number {
    return Math.max(2 * this.#concurrency - this.#jobs.size, 0)
  }

  /** Fulfils when no hook of this process works on the id any more; `undefined` where none does. */
  runningHook(id: string): Promise<void> | undefined {
    return this.#calls.running(id)
  }

  /** The same for lives that were deleted: nothing of theirs is to land in what comes after them. */
  runningHookOfDeleted(id: string): Promise<void> | undefined {
    return this.#hooksOfDeleted.get(id)
  }

  /** Fulfils when they are settled. */
  async add(claims: readonly Claim[]): Promise<void> {
    const settled = claims.map((claim) => this.#enqueue(claim, (job) => this.#queue.push(job)))
    this.#start()
    await Promise.all(settled)
  }

  /** Takes a claim that a caller waits for: it is the next to begin. */
  addFirst(claim: Claim): void {
    void this.#enqueue(claim, (job) => this.#queue.unshift(job))
    this.#start()
  }

  /** Lives were deleted, here: their archives are given up. */
  abandon(id: string, incarnations: ReadonlySet<string>): void {
    for (const job of this.#jobs) {
      if (job.claim.id !== id || !incarnations.has(job.claim.incarnation)) continue
      this.#log.events.context.run(() => abandonJob(job, endedDuringError('archive', 'deleted')))
      const hook = this.#calls.running(id)
      if (hook === undefined) continue
      this.#hooksOfDeleted.set(id, hook)
      void hook.then(() => {
        if (this.#hooksOfDeleted.get(id) === hook) this.#hooksOfDeleted.delete(id)
      })
    }
  }

  /** Gives back what was not begun, and what is claimed from now on. Never rejects: where that fails, the leases run out. */
  async releaseQueued(): Promise<void> {
    this.#isClosing = true
    const waiting = this.#queue
    this.#queue = []
    await Promise.all(
      waiting.map((job) => {
        // It is ours no more, whatever becomes of the call: a claim that is kept would be renewed for ever.
        this.#finish(job)
        return job.isLost ? undefined : this.#release(job.claim)
      }),
    )
  }

  /** Aborts what is under way: the deadline of `close` has passed. */
  abortAll(error: SessionRegistryError): void {
    this.#log.events.context.run(() => {
      for (const job of this.#jobs) job.controller.abort(error)
    })
  }

  /** Leaves what is still under way to other processes, which take it over when the leases have run out. */
  abandonAll(error: SessionRegistryError): void {
    this.#log.events.context.run(() => {
      for (const job of this.#jobs) {
        abandonJob(job, error)
        this.#finish(job)
      }
    })
  }

  #enqueue(claim: Claim, enqueue: (job: Job) => void): Promise<void> {
    const finished = new Promise<void>((finish) => {
      const { claimedAt: renewedAt } = claim
      const job: Job = { claim, controller: new AbortController(), isLost: false, renewedAt, finish }
      this.#jobs.add(job)
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
    while (this.#running < this.#concurrency) {
      const job = this.#queue.shift()
      if (job === undefined) return
      this.#running += 1
      this.#log.events.context.run(() => void this.#process(job))
    }
  }

  async #process(job: Job): Promise<void> {
    try {
      if (!job.isLost) await this.#archive(job)
    } catch (error) {
      // Redis does not answer: the lease runs out, and another process takes over.
      this.#log.failed(error, 'a session that is over could not be ended', job.claim.id)
    } finally {
      this.#running -= 1
      this.#finish(job)
      this.#pump()
    }
  }

  async #archive(job: Job): Promise<void> {
    const { claim } = job
    // The hook of a life that was lost or deleted may still write.
    await this.#calls.running(claim.id)
    if (job.isLost) return
    const loaded = await this.#load(claim)
    if (loaded.state === 'lost') this.#log.failed(dataLostError(), 'a session was kept too short', claim.id)
    if (loaded.state !== 'loaded') return
    if (job.controller.signal.aborted) {
      // It was counted as an attempt, and the hook is not called.
      await this.#release(claim)
      return
    }
    const { snapshot, attempt, isSuperseded } = loaded
    const { archive, archiveAttempts } = this.#options
    const reason = expiryReason(snapshot)
    const session = this.#log.sessionOf(snapshot)
    if (archive !== undefined) {
      if (attempt > archiveAttempts) {
        await this.#giveUp(job, session, reason, new Error('The process that tried last did not come back'))
        return
      }
      try {
        await this.#calls.run({ archive, session, reason, attempt, isSuperseded, controller: job.controller })
      } catch (error) {
        if (!job.isLost) await this.#onFailed(job, attempt, session, reason, error)
        return
      }
    }
    if (job.isLost || !(await this.#settle(job, { kind: 'ack' }))) return
    if (archive !== undefined) this.#log.counters.archived += 1
    this.#log.endedInBackground(snapshot, reason, session)
    this.onSettled?.(claim.id)
  }

  async #load(claim: Claim) {
    try {
      return await this.#store.load(claim)
    } catch (error) {
      // It may have been counted as an attempt, and the hook was not called.
      void this.#release(claim)
      throw error
    }
  }

  async #onFailed(
    job: Job,
    attempt: number,
    session: RedisSession<T>,
    reason: ExpiryReason,
    error: unknown,
  ): Promise<void> {
    const { events, counters } = this.#log
    const { id } = job.claim
    counters.archiveFailures += 1
    if (isAbortedByClose(job.controller.signal)) {
      this.abortedAtDeadline.push(session)
      await this.#settle(job, { kind: 'retry', pauseMs: 0 })
      return
    }
    const fields = { attempt, err: error }
    events.log({ level: 'debug', message: 'archive attempt failed', fields, id })
    events.flush()
    if (attempt >= this.#options.archiveAttempts) await this.#giveUp(job, session, reason, error)
    else await this.#settle(job, { kind: 'retry', pauseMs: jitter(backoffMs(attempt, archiveBackoff)) })
  }

  async #giveUp(job: Job, session: RedisSession<T>, reason: ExpiryReason, cause: unknown): Promise<void> {
    if (!(await this.#settle(job, { kind: 'deadLetter', reason }))) return
    const error = new SessionRegistryError(
      'ERR_SESSION_ARCHIVE_FAILED',
      'Expected `archive` to put the session away, but its last attempt failed: the session is on the dead list',
      { cause, session },
    )
    this.#log.failed(error, 'session could not be archived', job.claim.id)
    this.onSettled?.(job.claim.id)
  }

  /** Whether the claim was still ours to settle. */
  async #settle({ claim }: Job, outcome: ClaimOutcome): Promise<boolean> {
    const settled = await this.#store.settle(claim, outcome)
    const { shard } = claim
    if (outcome.kind === 'retry') this.onCapacity?.({ shard, inMs: outcome.pauseMs })
    else if (settled === 'next') this.onCapacity?.({ shard, inMs: 0 })
    return settled !== 'lost'
  }

  /** Gives a claim back untried. Never rejects. */
  async #release(claim: Claim): Promise<void> {
    try {
      await this.#store.settle(claim, { kind: 'release' })
    } catch {}
  }

  #finish(job: Job): void {
    if (!this.#jobs.delete(job)) return
    if (this.#jobs.size === 0) this.#renewal.stop()
    job.finish()
    if (this.#jobs.size <= this.#concurrency) this.onCapacity?.()
  }
}

function isAbortedByClose(signal: AbortSignal): boolean {
  return signal.aborted && isSessionRegistryError(signal.reason, 'ERR_SESSION_REGISTRY_CLOSED')
}

function dataLostError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    'Expected the data of a session that is over, but they are gone: no process archived them within `retentionMs`',
  )
}
