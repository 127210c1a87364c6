import type { Timer } from '../core/clock.ts'
import type { ArchiveReason } from '../core/end-reason.ts'
import { SessionRegistryError } from '../core/errors.ts'
import type { ArchiveSession } from '../core/hooks.ts'
import { archiveTimedOut } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import { ArchiveJob, JobQueue } from './archive-job.ts'
import { Burst } from './burst.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './table/session-record.ts'

/** A pause after the first failed try; doubled after each further one. Long enough for a hiccup, short for a person. */
const firstPauseMs = 100

/** The longest pause: a store that is down for an hour is not asked more often than it can bear. */
const maxPauseMs = 30_000

/** The longest pause while the registry closes: there is not much time left to find the store up again. */
const maxClosingPauseMs = 1_000

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
  #whenLost: ((record: SessionRecord<T>) => void) | undefined
  readonly #jobs = new Map<string, ArchiveJob<T>>()
  /** Jobs that are ready for a try; those that somebody waits for come first. */
  readonly #urgent = new JobQueue<T>()
  readonly #ordinary = new JobQueue<T>()
  #underWay = 0
  #isScheduled = false
  readonly #burst: Burst
  #isClosing = false
  /** Called after each job, when its id is free again. */
  readonly #settled: () => void

  constructor(owner: object, lifecycle: Lifecycle<T>, options: ArchiverOptions<T>, settled: () => void) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#options = options
    this.#settled = settled
    this.#burst = new Burst(lifecycle.clock)
  }

  /** Sessions that are being archived, or wait for it. */
  get count(): number {
    return this.#jobs.size
  }

  has(id: string): boolean {
    return this.#jobs.size > 0 && this.#jobs.has(id)
  }

  ids(): string[] {
    return [...this.#jobs.keys()]
  }

  /** Takes a session. Its hook is called, where there is a place, among what the present step tells at its end. */
  start(record: SessionRecord<T>, reason: ArchiveReason): void {
    const job = new ArchiveJob(record, reason)
    this.#jobs.set(record.id, job)
    this.#makeReady(job, (pump) => this.#lifecycle.announcer.defer(pump))
  }

  /**
   * Calls `then` once the id is free, unless that is taken back. Somebody waits: the job goes to the front, and a pause is
   * cut short.
   */
  whenSettled(id: string, then: () => void): () => void {
    const job = this.#jobs.get(id)
    if (job === undefined) return () => {}
    job.waiters.add(then)
    if (job.trying === undefined) this.#hurry(job)
    else job.timer?.ref()
    return () => {
      job.waiters.delete(then)
      if (job.waiters.size === 0 && !this.#isClosing) job.timer?.unref()
    }
  }

  /** Ends a session that is being archived, and says whether there was one. */
  abandon(id: string, reason: 'deleted' | 'replaced'): boolean {
    const job = this.#jobs.get(id)
    if (job === undefined) return false
    this.#abort(
      job,
      new SessionRegistryError('ERR_SESSION_ENDED', `The session was ${reason} while it was being archived`),
    )
    this.#jobs.delete(id)
    this.#lifecycle.finish(job.record, reason)
    this.#end(job)
    return true
  }

  /** The registry closes: the process stays alive for archives, and no pause is long. */
  close(whenLost: (record: SessionRecord<T>) => void): void {
    this.#isClosing = true
    this.#whenLost = whenLost
    for (const job of this.#jobs.values()) {
      if (job.trying === undefined) this.#hurry(job)
      else job.timer?.ref()
    }
  }

  /** Gives up all: the deadline of `close` has passed. */
  loseAll(error: SessionRegistryError): void {
    for (const job of this.#jobs.values()) {
      this.#abort(job, error)
      this.#lose(job, error)
    }
  }

  /** Ends the pause of a job, if it is in one, and puts it in front if somebody waits for its id. */
  #hurry(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    this.#makeReady(job)
  }

  #makeReady(job: ArchiveJob<T>, later?: (pump: () => void) => void): void {
    job.isReady = true
    const queue = job.waiters.size > 0 ? this.#urgent : this.#ordinary
    queue.add(job)
    this.#schedule(later)
  }

  #schedule(later: (pump: () => void) => void = queueMicrotask): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    later(() => {
      this.#isScheduled = false
      this.#lifecycle.announcer.context.run(() => this.#pump())
    })
  }

  #pump(): void {
    if (this.#isScheduled) return
    while (this.#underWay < this.#options.archiveConcurrency) {
      const job = this.#urgent.take() ?? this.#ordinary.take()
      if (job === undefined) return
      this.#try(job)
      if (this.#burst.isLong()) {
        this.#pumpAfterLoopTurn()
        return
      }
    }
  }

  #pumpAfterLoopTurn(): void {
    this.#isScheduled = true
    const goOn = () => {
      this.#isScheduled = false
      this.#pump()
    }
    // Not unref'd: a loop that has nothing else to do would sleep on, with sessions that wait for their turn.
    this.#lifecycle.announcer.context.afterLoopTurn(goOn, { keepsAlive: true })
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
      stored = Promise.resolve(runInScope(this.#owner, record.id, call, () => archive(view, reason, context)))
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
    this.#lifecycle.announcer.deliver()
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
      const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), this.#longestPauseMs(job))
      // Jitter, so that many sessions that failed together do not come back together.
      job.timer = this.#timer(job, pauseMs * (0.5 + Math.random() / 2), () => this.#makeReady(job))
      if (job.timer === undefined) this.#makeReady(job)
    }
    announcer.deliver()
    this.#schedule()
  }

  #longestPauseMs(job: ArchiveJob<T>): number {
    if (job.waiters.size > 0) return firstPauseMs
    return this.#isClosing ? maxClosingPauseMs : maxPauseMs
  }

  /** The last try has failed: hands the session back alive, or, while closing, over to its report. */
  #lose(job: ArchiveJob<T>, error: unknown): void {
    this.#jobs.delete(job.record.id)
    if (this.#whenLost !== undefined) this.#whenLost(job.record)
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
    if (job.waiters.size > 0) {
      queueMicrotask(() => {
        for (const then of job.waiters) then()
      })
    }
    this.#settled()
    this.#schedule()
  }

  #timer(job: ArchiveJob<T>, ms: number, fn: () => void): Timer | undefined {
    const { clock, announcer } = this.#lifecycle
    const keepsAlive = this.#isClosing || job.waiters.size > 0
    try {
      return announcer.context.timer(clock, fn, ms, { keepsAlive })
    } catch (error) {
      // A host that gives no timer takes the limit away, not the archive.
      announcer.report(error, 'an archive could not be timed')
      return undefined
    }
  }
}
