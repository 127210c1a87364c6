import type { PendingWork } from '../core/async/pending-work.ts'
import type { ExpiryReason } from '../core/end-reason.ts'
import { isSessionRegistryError, SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { endedDuringError } from '../core/errors/turn-errors.ts'
import { ArchiveCalls } from './archive-calls.ts'
import { type Job, loseJob, pauseAfter } from './archive-job.ts'
import { ClaimRenewal } from './claim-renewal.ts'
import type { Claim, ClaimStore, Outcome } from './claim-store.ts'
import { expiryReason } from './life.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter } from './pause.ts'
import type { RedisSession } from './redis-session.ts'
import type { Teller } from './teller.ts'

/** Lives that are ended at once where there is nothing to archive. */
const endsAtOnce = 64

/** Something will be due in this shard. */
export interface Due {
  readonly shard: number
  readonly inMs: number
}

/** Ends lives that this process has claimed: archives them, and only then lets them be deleted. */
export class Archiver<T> {
  readonly #store: ClaimStore<T>
  readonly #teller: Teller<T>
  readonly #pending: PendingWork
  readonly #options: ResolvedRedisOptions<T>
  readonly #calls: ArchiveCalls<T>
  readonly #deleted = new Map<string, Promise<void>>()
  readonly #renewal: ClaimRenewal<T>
  readonly #concurrency: number
  readonly #jobs = new Set<Job>()
  #queue: Job[] = []
  #underWay = 0
  #isClosing = false
  /** Sessions whose archive was cut short by the deadline of `close`. */
  readonly cutShort: RedisSession<T>[] = []
  /** Called when there is room for more claims; with a shard where something will be due. */
  whenRoom: ((due?: Due) => void) | undefined = undefined
  /** Called when a life of this id is archived or given up. */
  whenSettled: ((id: string) => void) | undefined = undefined

  constructor(
    owner: object,
    store: ClaimStore<T>,
    teller: Teller<T>,
    pending: PendingWork,
    options: ResolvedRedisOptions<T>,
  ) {
    const { context } = teller.announcer
    this.#store = store
    this.#teller = teller
    this.#pending = pending
    this.#options = options
    this.#concurrency = options.archive === undefined ? endsAtOnce : options.archiveConcurrency
    this.#calls = new ArchiveCalls(owner, context, pending, options.archiveTimeoutMs)
    this.#renewal = new ClaimRenewal(store, options.leaseMs, context, () => this.#jobs)
  }

  /** Whether there is a hook that may take its time. */
  get archives(): boolean {
    return this.#options.archive !== undefined
  }

  /** Whether this process may claim a life that one of its callers waits for. */
  get takesWaited(): boolean {
    const { archive, archives, intervalMs } = this.#options
    return archive !== undefined && archives && intervalMs !== Number.POSITIVE_INFINITY && !this.#isClosing
  }

  /** Claims in hand. */
  get count(): number {
    return this.#jobs.size
  }

  /** How many more to claim: as many as are under way may wait, the rest is left to other processes. */
  get room(): number {
    return Math.max(2 * this.#concurrency - this.#jobs.size, 0)
  }

  /** Fulfils when no hook of this process works on the id any more; `undefined` where none does. */
  hookUnderWay(id: string): Promise<void> | undefined {
    return this.#calls.underWay(id)
  }

  /** The same for lives that were deleted: nothing of theirs is to land in what comes after them. */
  deletedHookUnderWay(id: string): Promise<void> | undefined {
    return this.#deleted.get(id)
  }

  /** Fulfils when they are settled. */
  async add(claims: readonly Claim[]): Promise<void> {
    const settled = claims.map((claim) => this.#take(claim, (job) => this.#queue.push(job)))
    this.#begin()
    await Promise.all(settled)
  }

  /** Takes a claim that a caller waits for: it is the next to begin. */
  addFirst(claim: Claim): void {
    void this.#take(claim, (job) => this.#queue.unshift(job))
    this.#begin()
  }

  /** Lives were deleted, here: their archives are given up. */
  abandon(id: string, incarnations: ReadonlySet<string>): void {
    for (const job of this.#jobs) {
      if (job.claim.id !== id || !incarnations.has(job.claim.incarnation)) continue
      this.#teller.announcer.context.run(() => loseJob(job, endedDuringError('archive', 'deleted')))
      const hook = this.#calls.underWay(id)
      if (hook === undefined) continue
      this.#deleted.set(id, hook)
      void hook.then(() => {
        if (this.#deleted.get(id) === hook) this.#deleted.delete(id)
      })
    }
  }

  /** Gives back what was not begun, and what is claimed from now on. Never rejects: where that fails, the leases run out. */
  async giveBack(): Promise<void> {
    this.#isClosing = true
    const waiting = this.#queue
    this.#queue = []
    await Promise.all(
      waiting.map((job) => {
        // It is ours no more, whatever becomes of the call: a claim that is kept would be renewed for ever.
        this.#over(job)
        return job.isLost ? undefined : this.#return(job.claim)
      }),
    )
  }

  /** Aborts what is under way: the deadline of `close` has passed. */
  cutAll(error: SessionRegistryError): void {
    this.#teller.announcer.context.run(() => {
      for (const job of this.#jobs) job.controller.abort(error)
    })
  }

  /** Leaves what is still under way to other processes, which take it over when the leases have run out. */
  leaveAll(error: SessionRegistryError): void {
    this.#teller.announcer.context.run(() => {
      for (const job of this.#jobs) {
        loseJob(job, error)
        this.#over(job)
      }
    })
  }

  #take(claim: Claim, enqueue: (job: Job) => void): Promise<void> {
    const over = new Promise<void>((resolve) => {
      const { claimedAt: renewedAt } = claim
      const job = { claim, controller: new AbortController(), isLost: false, renewedAt, over: resolve }
      this.#jobs.add(job)
      enqueue(job)
    })
    return this.#pending.track(over)
  }

  #begin(): void {
    if (this.#isClosing) void this.giveBack()
    this.#pump()
    this.#renewal.start()
  }

  #pump(): void {
    while (this.#underWay < this.#concurrency) {
      const job = this.#queue.shift()
      if (job === undefined) return
      this.#underWay += 1
      this.#teller.announcer.context.run(() => void this.#work(job))
    }
  }

  async #work(job: Job): Promise<void> {
    try {
      if (!job.isLost) await this.#archive(job)
    } catch (error) {
      // Redis does not answer: the lease runs out, and another process takes over.
      this.#teller.failed(error, 'a session that is over could not be ended', job.claim.id)
    } finally {
      this.#underWay -= 1
      this.#over(job)
      this.#pump()
    }
  }

  async #archive(job: Job): Promise<void> {
    const { claim } = job
    // The hook of a life that was lost or deleted may still write.
    await this.#calls.underWay(claim.id)
    if (job.isLost) return
    const loaded = await this.#load(claim)
    if (loaded.state === 'lost') this.#teller.failed(dataLost(), 'a session was kept too short', claim.id)
    if (loaded.state !== 'loaded') return
    if (job.controller.signal.aborted) {
      // It was counted as an attempt, and the hook is not called.
      await this.#return(claim)
      return
    }
    const { life, attempt, isOvertaken } = loaded
    const { archive, archiveAttempts } = this.#options
    const reason = expiryReason(life)
    const session = this.#teller.sessionOf(life)
    if (archive !== undefined) {
      if (attempt > archiveAttempts) {
        await this.#giveUp(job, session, reason, new Error('The process that tried last did not come back'))
        return
      }
      try {
        await this.#calls.call({ archive, session, reason, attempt, isOvertaken, controller: job.controller })
      } catch (error) {
        if (!job.isLost) await this.#failed(job, attempt, session, reason, error)
        return
      }
    }
    if (job.isLost || !(await this.#settle(job, { kind: 'done' }))) return
    if (archive !== undefined) this.#teller.counters.archived += 1
    this.#teller.endedByItself(life, reason, session)
    this.whenSettled?.(claim.id)
  }

  async #load(claim: Claim) {
    try {
      return await this.#store.load(claim)
    } catch (error) {
      // It may have been counted as an attempt, and the hook was not called.
      void this.#return(claim)
      throw error
    }
  }

  async #failed(
    job: Job,
    attempt: number,
    session: RedisSession<T>,
    reason: ExpiryReason,
    error: unknown,
  ): Promise<void> {
    const { announcer, counters } = this.#teller
    const { id } = job.claim
    counters.archiveFailures += 1
    if (isClosing(job.controller.signal)) {
      this.cutShort.push(session)
      await this.#settle(job, { kind: 'again', pauseMs: 0 })
      return
    }
    const fields = { attempt, err: error }
    announcer.log({ level: 'debug', message: 'archive attempt failed', fields, id })
    announcer.flush()
    if (attempt >= this.#options.archiveAttempts) await this.#giveUp(job, session, reason, error)
    else await this.#settle(job, { kind: 'again', pauseMs: jitter(pauseAfter(attempt)) })
  }

  async #giveUp(job: Job, session: RedisSession<T>, reason: ExpiryReason, cause: unknown): Promise<void> {
    if (!(await this.#settle(job, { kind: 'dead', reason }))) return
    const error = new SessionRegistryError(
      'ERR_SESSION_ARCHIVE_FAILED',
      'Expected `archive` to put the session away, but its last attempt failed: the session is on the dead list',
      { cause, session },
    )
    this.#teller.failed(error, 'session could not be archived', job.claim.id)
    this.whenSettled?.(job.claim.id)
  }

  /** Whether the claim was still ours to settle. */
  async #settle({ claim }: Job, outcome: Outcome): Promise<boolean> {
    const settled = await this.#store.settle(claim, outcome)
    const { shard } = claim
    if (outcome.kind === 'again') this.whenRoom?.({ shard, inMs: outcome.pauseMs })
    else if (settled === 'next') this.whenRoom?.({ shard, inMs: 0 })
    return settled !== 'lost'
  }

  /** Gives a claim back untried. Never rejects. */
  async #return(claim: Claim): Promise<void> {
    try {
      await this.#store.settle(claim, { kind: 'back' })
    } catch {}
  }

  #over(job: Job): void {
    if (!this.#jobs.delete(job)) return
    if (this.#jobs.size === 0) this.#renewal.stop()
    job.over()
    if (this.#jobs.size <= this.#concurrency) this.whenRoom?.()
  }
}

function isClosing(signal: AbortSignal): boolean {
  return signal.aborted && isSessionRegistryError(signal.reason, 'ERR_SESSION_REGISTRY_CLOSED')
}

function dataLost(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    'Expected the data of a session that is over, but they are gone: no process archived them within `retentionMs`',
  )
}
