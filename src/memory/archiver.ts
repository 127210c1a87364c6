import type { Timer } from '../core/clock.ts'
import type { ArchiveReason } from '../core/end-reason.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import type { ArchiveSession } from '../core/hooks.ts'
import type { PendingWork } from '../core/pending-work.ts'
import { archiveTimedOut, endedDuring } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import { ArchiveJob } from './archive-job.ts'
import { archivePauseMs } from './archive-pause.ts'
import { ArchivePump } from './archive-pump.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SessionRecord } from './table/session-record.ts'

export interface ArchiverOptions<T> {
  readonly archive: ArchiveSession<T> | undefined
  readonly archiveConcurrency: number
  readonly archiveAttempts: number
  readonly archiveTimeoutMs: number
}

/**
 * Puts sessions away before they are let go: a bounded number at once, tried again with growing pauses, and handed back
 * when every try has failed.
 *
 * A session that is deleted or replaced meanwhile ends at once, but its hook may still be writing. It keeps the id until it
 * has settled: no `load` then reads what it is about to overwrite, and no two hooks of an id overlap.
 */
export class Archiver<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #pending: PendingWork
  readonly #options: ArchiverOptions<T>
  /** What to do with a session whose last try has failed; set while the registry is closing. */
  #whenLost: ((record: SessionRecord<T>) => void) | undefined
  readonly #jobs = new Map<string, ArchiveJob<T>>()
  /** Jobs whose session has ended, and whose hook has not settled. */
  readonly #leftovers = new Map<string, ArchiveJob<T>>()
  readonly #pump: ArchivePump<T>
  #isClosing = false
  /** Called after each job, when its id is free again. */
  readonly #settled: () => void

  constructor(
    owner: object,
    lifecycle: Lifecycle<T>,
    pending: PendingWork,
    options: ArchiverOptions<T>,
    settled: () => void,
  ) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#pending = pending
    this.#options = options
    this.#settled = settled
    this.#pump = new ArchivePump(lifecycle, options.archiveConcurrency, (job) => this.#try(job))
  }

  /** Sessions that are being archived, or wait for it. */
  get count(): number {
    return this.#jobs.size
  }

  /** Whether an archive hook holds some id. */
  get isBusy(): boolean {
    return this.#jobs.size > 0 || this.#leftovers.size > 0
  }

  /** Whether the session of an id is being archived, or the hook of one that has ended since has not settled. */
  has(id: string): boolean {
    return this.isBusy && (this.#jobs.has(id) || this.#leftovers.has(id))
  }

  ids(): string[] {
    return [...this.#jobs.keys()]
  }

  /** Takes a session. Its hook is called, where there is a place, among what the present step tells at its end. */
  start(record: SessionRecord<T>, reason: ArchiveReason): void {
    const job = new ArchiveJob(record, reason)
    this.#jobs.set(record.id, job)
    this.#pending.begin()
    this.#makeReady(job, (pump) => this.#lifecycle.announcer.defer(pump))
  }

  /**
   * Calls `then` once the id is free, unless that is taken back. Somebody waits: the job goes to the front, and a pause is
   * cut short.
   */
  whenSettled(id: string, then: () => void): () => void {
    const job = this.#jobs.get(id) ?? this.#leftovers.get(id)
    if (job === undefined) return () => {}
    job.waiters.add(then)
    if (job.trying === undefined) this.#hurry(job)
    else job.timer?.ref()
    return () => {
      job.waiters.delete(then)
      if (job.waiters.size === 0 && !this.#isClosing) job.timer?.unref()
    }
  }

  /** Ends a session that is being archived. Returns whether there was one. */
  abandon(id: string, reason: 'deleted' | 'replaced'): boolean {
    const job = this.#jobs.get(id)
    if (job === undefined) return false
    this.#lifecycle.finish(job.record, reason)
    const { trying } = job
    if (trying !== undefined) {
      this.#jobs.delete(id)
      this.#leftovers.set(id, job)
      this.#pump.finish()
      this.#abortLater(trying, endedDuring('archive', reason))
      this.#freed()
    } else {
      this.#end(job)
    }
    return true
  }

  /** Forgets the hooks that have not settled: the registry is closed. */
  stop(): void {
    for (const job of this.#leftovers.values()) this.#release(job)
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
    // While the hook of an earlier life runs it has to wait, and is made ready when that has settled.
    if (!this.#leftovers.has(job.record.id)) this.#pump.add(job, later)
  }

  #try(job: ArchiveJob<T>): void {
    const { archive, archiveTimeoutMs } = this.#options
    if (archive === undefined) return
    const { record, reason } = job
    const trying = new AbortController()
    job.attempt += 1
    job.trying = trying
    job.timer = this.#timer(job, archiveTimeoutMs, () => this.#timedOut(job))
    const call = new HookCall()
    let stored: Promise<unknown>
    try {
      const context = { signal: trying.signal, attempt: job.attempt }
      const view = this.#lifecycle.viewOf(record)
      stored = Promise.resolve(runInScope(this.#owner, record.id, call, () => archive(view, reason, context)))
    } catch (error) {
      stored = Promise.reject(error)
    }
    const settled = (outcome: () => void) => {
      call.endScope()
      if (job.trying !== trying) return
      if (this.#isLeftover(job)) this.#release(job)
      else outcome()
    }
    stored.then(
      () => settled(() => this.#succeed(job)),
      (error) => settled(() => this.#fail(job, error)),
    )
  }

  #isLeftover(job: ArchiveJob<T>): boolean {
    return this.#leftovers.get(job.record.id) === job
  }

  /** The id is free of a hook whose session had ended before: it has settled, or has had `archiveTimeoutMs`. */
  #release(job: ArchiveJob<T>): void {
    const { id } = job.record
    job.timer?.cancel()
    job.trying = undefined
    this.#leftovers.delete(id)
    const next = this.#jobs.get(id)
    if (next !== undefined) this.#makeReady(next)
    job.wakeWaiters()
    this.#pending.end()
    this.#settled()
  }

  #timedOut(job: ArchiveJob<T>): void {
    if (this.#isLeftover(job)) {
      this.#release(job)
      return
    }
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
    this.#pump.pump()
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
      const pauseMs = archivePauseMs(attempt, {
        isAwaited: job.waiters.size > 0,
        isClosing: this.#isClosing,
      })
      job.timer = this.#timer(job, pauseMs, () => this.#makeReady(job))
      if (job.timer === undefined) this.#makeReady(job)
    }
    announcer.deliver()
    this.#pump.schedule()
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
    this.#pump.finish()
  }

  /** Ends the try under way, and tells it so when the state has changed. */
  #abort(job: ArchiveJob<T>, error: SessionRegistryError): void {
    const { trying } = job
    this.#settleTry(job)
    if (trying !== undefined) this.#abortLater(trying, error)
  }

  #abortLater(trying: AbortController, error: SessionRegistryError): void {
    const { announcer } = this.#lifecycle
    announcer.inBackground(() => announcer.defer(() => trying.abort(error)))
  }

  #end(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    this.#jobs.delete(job.record.id)
    job.entry?.remove()
    job.wakeWaiters()
    this.#pending.end()
    this.#freed()
  }

  /** There is a place for another try. */
  #freed(): void {
    this.#settled()
    this.#pump.schedule()
  }

  #timer(job: ArchiveJob<T>, ms: number, fn: () => void): Timer | undefined {
    const { clock, announcer } = this.#lifecycle
    const keepsAlive = this.#isClosing || job.waiters.size > 0
    try {
      return announcer.context.timer(clock, fn, ms, { keepsAlive, catchesUp: true })
    } catch (error) {
      // A host that gives no timer takes the limit away, not the archive.
      announcer.report(error, 'an archive could not be timed')
      return undefined
    }
  }
}
