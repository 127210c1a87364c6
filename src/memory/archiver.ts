import { afterLoopTurn, Timer } from '../core/clock.ts'
import type { ArchiveReason } from '../core/end-reason.ts'
import { SessionRegistryError } from '../core/errors.ts'
import type { ArchiveSession } from '../core/hooks.ts'
import { archiveTimedOut } from '../core/refusals.ts'
import { HookCall, outsideScopes, runInScope } from '../core/turn-scope.ts'
import { ArchiveJob, JobQueue } from './archive-job.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './session-record.ts'

/** A pause after the first failed try; doubled after each further one. Long enough for a hiccup, short for a person. */
const firstPauseMs = 100

/** The longest pause: a store that is down for an hour is not asked more often than it can bear. */
const maxPauseMs = 30_000

/** The longest that tries of an instant store keep the event loop without letting it go round. */
const burstMs = 4

export interface ArchiverOptions<T> {
  readonly archive: ArchiveSession<T> | undefined
  readonly archiveConcurrency: number
  readonly archiveAttempts: number
  readonly archiveTimeoutMs: number
}

/**
 * Puts sessions away before they are let go: a bounded number at once, tried again with growing pauses, and handed back
 * when every try has failed.
 */
export class Archiver<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #options: ArchiverOptions<T>
  /** What to do with a session whose last try has failed; set while the registry is closing. */
  whenLost: ((record: SessionRecord<T>) => void) | undefined = undefined
  readonly #jobs = new Map<string, ArchiveJob<T>>()
  /** Jobs that are ready for a try; those that somebody waits for come first. */
  readonly #urgent = new JobQueue<T>()
  readonly #ordinary = new JobQueue<T>()
  #underWay = 0
  #isScheduled = false
  /** When this turn of the event loop began to be filled with tries. */
  #burstStartedAt: number | undefined
  #keepsAlive = false
  /** Called after each job, when its id is free again. */
  readonly #settled: () => void

  constructor(owner: object, lifecycle: Lifecycle<T>, options: ArchiverOptions<T>, settled: () => void) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#options = options
    this.#settled = settled
  }

  /** Sessions that are being archived, or wait for it. */
  get count(): number {
    return this.#jobs.size
  }

  has(id: string): boolean {
    return this.#jobs.has(id)
  }

  ids(): string[] {
    return [...this.#jobs.keys()]
  }

  /** Takes a session. Its hook is called when the present step is done. */
  start(record: SessionRecord<T>, reason: ArchiveReason): void {
    const job = new ArchiveJob(record, reason)
    this.#jobs.set(record.id, job)
    this.#makeReady(job)
  }

  /** Calls `then` once the id is free. Somebody waits: the job goes to the front, and a pause is cut short. */
  whenSettled(id: string, then: () => void): void {
    const job = this.#jobs.get(id)
    if (job === undefined) return
    job.waiters.push(then)
    if (job.trying !== undefined) {
      job.timer?.ref()
      return
    }
    job.timer?.cancel()
    this.#makeReady(job)
  }

  /** Gives up the archive of a session that was deleted. */
  abandon(id: string): SessionRecord<T> | undefined {
    const job = this.#jobs.get(id)
    if (job === undefined) return undefined
    this.#abort(
      job,
      new SessionRegistryError('ERR_SESSION_ENDED', 'The session was deleted while it was being archived'),
    )
    this.#end(job)
    return job.record
  }

  /** While the registry closes, the process stays alive for archives. */
  keepAlive(): void {
    this.#keepsAlive = true
    for (const { timer } of this.#jobs.values()) timer?.ref()
  }

  /** Gives up all: the deadline of `close` has passed. */
  loseAll(error: SessionRegistryError): void {
    for (const job of [...this.#jobs.values()]) {
      this.#abort(job, error)
      this.#lose(job, error)
    }
  }

  #makeReady(job: ArchiveJob<T>): void {
    job.isReady = true
    const queue = job.waiters.length > 0 ? this.#urgent : this.#ordinary
    queue.add(job)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isScheduled) return
    while (this.#underWay < this.#options.archiveConcurrency) {
      const job = this.#urgent.take() ?? this.#ordinary.take()
      if (job === undefined) return
      this.#try(job)
      if (this.#isBurstLong()) return
    }
  }

  /**
   * A store that answers at once would go on in microtasks until the last session is put away. So when tries have
   * filled a few milliseconds of one turn of the event loop, the rest waits for the next.
   */
  #isBurstLong(): boolean {
    const now = this.#lifecycle.clock.now()
    if (this.#burstStartedAt === undefined) {
      this.#burstStartedAt = now
      afterLoopTurn(() => {
        this.#burstStartedAt = undefined
      })
    }
    if (now - this.#burstStartedAt < burstMs) return false
    this.#isScheduled = true
    const goOn = () => {
      this.#isScheduled = false
      this.#pump()
    }
    outsideScopes(() => afterLoopTurn(goOn, { keepsAlive: this.#keepsAlive || this.#urgent.size > 0 }))
    return true
  }

  #try(job: ArchiveJob<T>): void {
    const { archive, archiveTimeoutMs } = this.#options
    if (archive === undefined) return
    const { record, reason } = job
    const trying = new AbortController()
    this.#underWay += 1
    job.attempt += 1
    job.trying = trying
    job.timer = this.#timer(job, archiveTimeoutMs, () => this.#timedOut(job))
    const call = new HookCall()
    let stored: Promise<void>
    try {
      const context = { signal: trying.signal, attempt: job.attempt }
      const view = this.#lifecycle.viewOf(record)
      const scoped = () => runInScope(this.#owner, record.id, call, () => archive(view, reason, context))
      stored = Promise.resolve(outsideScopes(scoped))
    } catch (error) {
      stored = Promise.reject(error)
    }
    stored.then(
      () => {
        call.isOver = true
        if (job.trying === trying) this.#succeed(job)
      },
      (error) => {
        call.isOver = true
        if (job.trying === trying) this.#fail(job, error)
      },
    )
  }

  #timedOut(job: ArchiveJob<T>): void {
    const error = archiveTimedOut(this.#options.archiveTimeoutMs)
    this.#abort(job, error)
    this.#fail(job, error)
  }

  #succeed(job: ArchiveJob<T>): void {
    this.#settleTry(job)
    this.#lifecycle.counters.archived += 1
    this.#lifecycle.finish(job.record, job.reason)
    this.#end(job)
    this.#pump()
  }

  #fail(job: ArchiveJob<T>, error: unknown): void {
    this.#settleTry(job)
    const { counters, announcer } = this.#lifecycle
    const { attempt, record } = job
    counters.archiveFailures += 1
    if (announcer.isLogged('debug')) {
      announcer.log({
        level: 'debug',
        message: 'archive attempt failed',
        fields: { attempt, err: error },
        id: record.id,
      })
    }
    if (attempt >= this.#options.archiveAttempts) {
      this.#lose(job, error)
    } else {
      const longest = job.waiters.length > 0 ? firstPauseMs : maxPauseMs
      const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), longest)
      // Jitter, so that many sessions that failed together do not come back together.
      job.timer = this.#timer(job, pauseMs * (0.5 + Math.random() / 2), () => this.#makeReady(job))
      if (job.timer === undefined) this.#makeReady(job)
    }
    announcer.deliver()
    this.#schedule()
  }

  /** The last try has failed: hands the session back alive, or, while closing, over to its report. */
  #lose(job: ArchiveJob<T>, error: unknown): void {
    this.#jobs.delete(job.record.id)
    if (this.whenLost !== undefined) this.whenLost(job.record)
    else this.#lifecycle.handBack(job.record, error)
    this.#end(job)
  }

  #settleTry(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    if (job.trying === undefined) return
    job.trying = undefined
    this.#underWay -= 1
  }

  /** Ends the try under way, and tells it so when the state has changed. */
  #abort(job: ArchiveJob<T>, error: SessionRegistryError): void {
    const { trying } = job
    this.#settleTry(job)
    if (trying !== undefined) this.#lifecycle.announcer.defer(() => trying.abort(error))
  }

  #end(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    this.#jobs.delete(job.record.id)
    job.isReady = false
    // Later, because they go on to call the user's `load`, and this may be the middle of a `clear`.
    if (job.waiters.length > 0) {
      queueMicrotask(() => {
        for (const then of job.waiters) then()
      })
    }
    this.#settled()
    this.#lifecycle.announcer.deliver()
    this.#schedule()
  }

  #timer(job: ArchiveJob<T>, ms: number, fn: () => void): Timer | undefined {
    const { clock, announcer } = this.#lifecycle
    const keepsAlive = this.#keepsAlive || job.waiters.length > 0
    try {
      return outsideScopes(() => new Timer(clock, fn, ms, { keepsAlive }))
    } catch (error) {
      // A host that gives no timer takes the limit away, not the archive.
      announcer.report(error, 'an archive could not be timed')
      return undefined
    }
  }
}
