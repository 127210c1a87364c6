import { realClock, Timer } from '../core/clock.ts'
import { SessionRegistryError } from '../core/errors.ts'
import { archiveTimedOut, endedDuringTurn } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import { type Job, loseJob } from './archive-job.ts'
import { ClaimRenewal } from './claim-renewal.ts'
import type { Claim, ClaimStore, Outcome } from './claim-store.ts'
import { expiryReason } from './life.ts'
import type { Opener } from './opener.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter } from './pause.ts'
import type { RedisSession } from './redis-session.ts'
import type { Teller } from './teller.ts'

/** As in the registry of one process: long enough for a hiccup, short for a person; and the longest pause. */
const firstPauseMs = 100
const maxPauseMs = 30_000

/** Lives that are ended at once where there is nothing to archive. */
const endsAtOnce = 64

/** Ends lives that this process has claimed: archives them, and only then lets them be deleted. */
export class Archiver<T> {
  readonly #owner: object
  readonly #store: ClaimStore<T>
  readonly #teller: Teller<T>
  readonly #opener: Opener<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #concurrency: number
  readonly #jobs = new Set<Job>()
  #queue: Job[] = []
  #underWay = 0
  #isClosing = false
  readonly #renewal: ClaimRenewal<T>
  /** Sessions whose archive was cut short by the deadline of `close`. */
  readonly cutShort: RedisSession<T>[] = []
  /** Called when there is room for more claims; with a shard where something will be due in `inMs`. */
  whenRoom: ((due?: { readonly shard: number; readonly inMs: number }) => void) | undefined = undefined

  constructor(
    owner: object,
    store: ClaimStore<T>,
    teller: Teller<T>,
    opener: Opener<T>,
    options: ResolvedRedisOptions<T>,
  ) {
    this.#owner = owner
    this.#store = store
    this.#teller = teller
    this.#opener = opener
    this.#options = options
    this.#concurrency = options.archive === undefined ? endsAtOnce : options.archiveConcurrency
    this.#renewal = new ClaimRenewal(store, options.leaseMs, teller.announcer.context, () => this.#jobs)
  }

  /** Whether there is a hook that may take its time. */
  get archives(): boolean {
    return this.#options.archive !== undefined
  }

  /** Claims in hand. */
  get count(): number {
    return this.#jobs.size
  }

  /** How many more to claim: as many as are under way may wait, the rest is left to other processes. */
  get room(): number {
    return Math.max(2 * this.#concurrency - this.#jobs.size, 0)
  }

  /** Fulfils when they are settled. */
  async add(claims: readonly Claim[]): Promise<void> {
    const renewedAt = realClock.now()
    const settled = claims.map(
      (claim) =>
        new Promise<void>((over) => {
          const job = { claim, controller: new AbortController(), isLost: false, renewedAt, over }
          this.#jobs.add(job)
          this.#queue.push(job)
        }),
    )
    if (this.#isClosing) void this.giveBack()
    this.#pump()
    this.#renewal.start()
    await Promise.all(settled)
  }

  /** Lives were deleted, here: their archives are given up. */
  abandon(id: string, incarnations: ReadonlySet<string>): void {
    for (const job of this.#jobs) {
      if (job.claim.id !== id || !incarnations.has(job.claim.incarnation)) continue
      this.#teller.announcer.context.run(() => loseJob(job, endedDuringTurn()))
    }
  }

  /** Gives back what was not begun, and what is claimed from now on. */
  async giveBack(): Promise<void> {
    this.#isClosing = true
    const waiting = this.#queue
    this.#queue = []
    await Promise.allSettled(
      waiting.map(async (job) => {
        if (!job.isLost) await this.#store.settle(job.claim, { kind: 'back' })
        this.#over(job)
      }),
    )
  }

  /** Aborts what is under way: the deadline of `close` has passed. */
  cutAll(error: SessionRegistryError): void {
    this.#teller.announcer.context.run(() => {
      for (const job of this.#jobs) job.controller.abort(error)
    })
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
      // Redis does not answer: the lease runs out, and whoever is there then takes over.
      this.#teller.failed(error, 'a session that is over could not be ended', job.claim.id)
    }
    this.#underWay -= 1
    this.#over(job)
    this.#pump()
  }

  async #archive(job: Job): Promise<void> {
    const { claim } = job
    const loaded = await this.#store.load(claim)
    if (loaded.state === 'lost') this.#teller.failed(dataLost(), 'a session was kept too short', claim.id)
    if (loaded.state !== 'loaded' || job.isLost) return
    const { life } = loaded
    const reason = expiryReason(life)
    const session = this.#teller.sessionOf(life)
    const { archive, archiveAttempts } = this.#options
    if (archive !== undefined && claim.attempt > archiveAttempts) {
      await this.#giveUp(job, session, reason, new Error('The process that tried last did not come back'))
      return
    }
    try {
      if (archive !== undefined) await this.#callHook(job, session, reason)
    } catch (error) {
      if (!job.isLost) await this.#failed(job, session, reason, error)
      return
    }
    if (job.isLost || !(await this.#settle(job, { kind: 'done' }))) return
    if (archive !== undefined) this.#teller.counters.archived += 1
    this.#teller.endedByItself(life, reason, session)
    this.#opener.settled(claim.id)
  }

  async #callHook(job: Job, session: RedisSession<T>, reason: 'idle' | 'age'): Promise<void> {
    const { archive, archiveTimeoutMs } = this.#options
    if (archive === undefined) return
    const { signal } = job.controller
    signal.throwIfAborted()
    const call = new HookCall()
    const context = { signal, attempt: job.claim.attempt }
    const timedOut = () => job.controller.abort(archiveTimedOut(archiveTimeoutMs))
    const timer = new Timer(realClock, timedOut, archiveTimeoutMs)
    try {
      const stored = (async () =>
        runInScope(this.#owner, session.id, call, () => archive(session, reason, context)))()
      await Promise.race([stored, aborted(signal)])
    } finally {
      timer.cancel()
      call.isOver = true
    }
  }

  async #failed(job: Job, session: RedisSession<T>, reason: 'idle' | 'age', error: unknown): Promise<void> {
    const { announcer, counters } = this.#teller
    const { claim } = job
    const { attempt } = claim
    counters.archiveFailures += 1
    if (isClosing(job.controller.signal)) {
      this.cutShort.push(session)
      await this.#settle(job, { kind: 'again', pauseMs: 0 })
      return
    }
    const fields = { attempt, err: error }
    announcer.log({ level: 'debug', message: 'archive attempt failed', fields, id: claim.id })
    announcer.deliver()
    if (attempt >= this.#options.archiveAttempts) {
      await this.#giveUp(job, session, reason, error)
      return
    }
    const pauseMs = jitter(Math.min(firstPauseMs * 2 ** (attempt - 1), maxPauseMs))
    await this.#settle(job, { kind: 'again', pauseMs })
  }

  async #giveUp(job: Job, session: RedisSession<T>, reason: string, cause: unknown): Promise<void> {
    const outcome: Outcome = { kind: 'dead', reason }
    if (!(await this.#settle(job, outcome))) return
    const error = new SessionRegistryError(
      'ERR_SESSION_ARCHIVE_FAILED',
      'Expected `archive` to put the session away, but its last attempt failed: the session is on the dead list',
      { cause, session },
    )
    this.#teller.failed(error, 'session could not be archived', job.claim.id)
    this.#opener.settled(job.claim.id)
  }

  /** Whether the claim was still ours to settle. */
  async #settle({ claim }: Job, outcome: Outcome): Promise<boolean> {
    const settled = await this.#store.settle(claim, outcome)
    const { shard } = claim
    if (outcome.kind === 'again') this.whenRoom?.({ shard, inMs: outcome.pauseMs })
    else if (settled === 'next') this.whenRoom?.({ shard, inMs: 0 })
    return settled !== 'lost'
  }

  #over(job: Job): void {
    this.#jobs.delete(job)
    job.over()
    if (this.#jobs.size === 0) this.#renewal.stop()
    if (this.#jobs.size <= this.#concurrency) this.whenRoom?.()
  }
}

/** Rejects as the signal aborts, with its reason. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function isClosing(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason?.code === 'ERR_SESSION_REGISTRY_CLOSED'
}

function dataLost(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    'Expected the data of a session that is over, but they are gone: no process archived them within `retentionMs`',
  )
}
