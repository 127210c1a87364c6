import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { archiveTimeoutError, endedDuringError } from '../../core/errors/turn-errors.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import type { Timer } from '../../core/time/clock.ts'
import { HookCall, runInScope } from '../../core/turns/turn-scope.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { archiveBackoffMs } from './archive-backoff.ts'
import { ArchiveJob } from './archive-job.ts'
import { ArchivePump } from './archive-pump.ts'

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
  #onGivenUp: ((record: SessionRecord<T>) => void) | undefined
  readonly #jobs = new Map<string, ArchiveJob<T>>()
  /** Jobs whose session has ended, and whose hook has not settled. */
  readonly #abandoned = new Map<string, ArchiveJob<T>>()
  readonly #pump: ArchivePump<T>
  #isClosing = false
  /** Called after each job, when its id is free again. */
  readonly #onSettled: () => void

  constructor(
    owner: object,
    lifecycle: Lifecycle<T>,
    pending: PendingWork,
    options: ArchiverOptions<T>,
    onSettled: () => void,
  ) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#pending = pending
    this.#options = options
    this.#onSettled = onSettled
    this.#pump = new ArchivePump(lifecycle, options.archiveConcurrency, (job) => this.#try(job))
  }

  /** Sessions that are being archived, or wait for it. */
  get count(): number {
    return this.#jobs.size
  }

  /** Whether an archive hook holds some id. */
  get isBusy(): boolean {
    return this.#jobs.size > 0 || this.#abandoned.size > 0
  }

  /** Whether the session of an id is being archived, or the hook of one that has ended since has not settled. */
  has(id: string): boolean {
    return this.isBusy && (this.#jobs.has(id) || this.#abandoned.has(id))
  }

  ids(): string[] {
    return [...this.#jobs.keys()]
  }

  /** Takes a session. Its hook is called, where there is a place, among what the present step tells at its end. */
  start(record: SessionRecord<T>, reason: ArchiveReason): void {
    const job = new ArchiveJob(record, reason)
    this.#jobs.set(record.id, job)
    this.#pending.begin()
    this.#makeReady(job, (pump) => this.#lifecycle.events.defer(pump))
  }

  /**
   * Calls `then` once the id is free, unless that is taken back. Somebody waits: the job goes to the front, and a pause is
   * cut short.
   */
  whenSettled(id: string, onSettled: () => void): () => void {
    const job = this.#jobs.get(id) ?? this.#abandoned.get(id)
    if (job === undefined) return () => {}
    job.waiters.add(onSettled)
    if (job.controller === undefined) this.#retryNow(job)
    else job.timer?.ref()
    return () => {
      job.waiters.delete(onSettled)
      if (job.waiters.size === 0 && !this.#isClosing) job.timer?.unref()
    }
  }

  /** Ends a session that is being archived. Returns whether there was one. */
  abandon(id: string, reason: 'deleted' | 'replaced'): boolean {
    const job = this.#jobs.get(id)
    if (job === undefined) return false
    this.#lifecycle.finishArchived(job.record, reason)
    const { controller } = job
    if (controller !== undefined) {
      this.#jobs.delete(id)
      this.#abandoned.set(id, job)
      this.#pump.finish()
      this.#abortLater(controller, endedDuringError('archive', reason))
      this.#onTryFreed()
    } else {
      this.#end(job)
    }
    return true
  }

  /** Forgets the hooks that have not settled: the registry is closed. */
  stop(): void {
    for (const job of this.#abandoned.values()) this.#release(job)
  }

  /** The registry closes: the process stays alive for archives, and no pause is long. */
  close(onGivenUp: (record: SessionRecord<T>) => void): void {
    this.#isClosing = true
    this.#onGivenUp = onGivenUp
    for (const job of this.#jobs.values()) {
      if (job.controller === undefined) this.#retryNow(job)
      else job.timer?.ref()
    }
  }

  /** Gives up all: the deadline of `close` has passed. */
  giveUpAll(error: SessionRegistryError): void {
    for (const job of this.#jobs.values()) {
      this.#abort(job, error)
      this.#giveUp(job, error)
    }
  }

  /** Ends the pause of a job, if it is in one, and puts it in front if somebody waits for its id. */
  #retryNow(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    this.#makeReady(job)
  }

  #makeReady(job: ArchiveJob<T>, schedule?: (pump: () => void) => void): void {
    // While the hook of an earlier life runs it has to wait, and is made ready when that has settled.
    if (!this.#abandoned.has(job.record.id)) this.#pump.add(job, schedule)
  }

  #try(job: ArchiveJob<T>): void {
    const { archive, archiveTimeoutMs } = this.#options
    if (archive === undefined) return
    const { record, reason } = job
    const controller = new AbortController()
    job.attempt += 1
    job.controller = controller
    job.timer = this.#timer(job, archiveTimeoutMs, () => this.#onTimeout(job))
    const call = new HookCall()
    let stored: Promise<unknown>
    try {
      const context = { signal: controller.signal, attempt: job.attempt }
      const view = this.#lifecycle.viewOf(record)
      stored = Promise.resolve(runInScope(this.#owner, record.id, call, () => archive(view, reason, context)))
    } catch (error) {
      stored = Promise.reject(error)
    }
    const onSettled = (outcome: () => void) => {
      call.endScope()
      if (job.controller !== controller) return
      if (this.#isAbandoned(job)) this.#release(job)
      else outcome()
    }
    stored.then(
      () => onSettled(() => this.#succeed(job)),
      (error) => onSettled(() => this.#fail(job, error)),
    )
  }

  #isAbandoned(job: ArchiveJob<T>): boolean {
    return this.#abandoned.get(job.record.id) === job
  }

  /** The id is free of a hook whose session had ended before: it has settled, or has had `archiveTimeoutMs`. */
  #release(job: ArchiveJob<T>): void {
    const { id } = job.record
    job.timer?.cancel()
    job.controller = undefined
    this.#abandoned.delete(id)
    const next = this.#jobs.get(id)
    if (next !== undefined) this.#makeReady(next)
    job.wakeWaiters()
    this.#pending.end()
    this.#onSettled()
  }

  #onTimeout(job: ArchiveJob<T>): void {
    if (this.#isAbandoned(job)) {
      this.#release(job)
      return
    }
    const error = archiveTimeoutError(this.#options.archiveTimeoutMs)
    this.#abort(job, error)
    this.#fail(job, error)
  }

  #succeed(job: ArchiveJob<T>): void {
    this.#settleTry(job)
    this.#lifecycle.counters.archived += 1
    this.#lifecycle.finishArchived(job.record, job.reason)
    this.#end(job)
    this.#lifecycle.events.flush()
    this.#pump.pump()
  }

  #fail(job: ArchiveJob<T>, error: unknown): void {
    this.#settleTry(job)
    const { counters, events } = this.#lifecycle
    const { attempt, record } = job
    counters.archiveFailures += 1
    if (events.isLogged('debug')) {
      events.log({
        level: 'debug',
        message: 'archive attempt failed',
        fields: { attempt, err: error },
        id: record.id,
      })
    }
    if (attempt >= this.#options.archiveAttempts) {
      this.#giveUp(job, error)
    } else {
      const backoffMs = archiveBackoffMs(attempt, {
        isAwaited: job.waiters.size > 0,
        isClosing: this.#isClosing,
      })
      job.timer = this.#timer(job, backoffMs, () => this.#makeReady(job))
      if (job.timer === undefined) this.#makeReady(job)
    }
    events.flush()
    this.#pump.schedule()
  }

  /** The last try has failed: hands the session back alive, or, while closing, over to its report. */
  #giveUp(job: ArchiveJob<T>, error: unknown): void {
    this.#jobs.delete(job.record.id)
    if (this.#onGivenUp !== undefined) this.#onGivenUp(job.record)
    else this.#lifecycle.restore(job.record, error)
    this.#end(job)
  }

  #settleTry(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    if (job.controller === undefined) return
    job.controller = undefined
    this.#pump.finish()
  }

  /** Ends the try under way, and tells it so when the state has changed. */
  #abort(job: ArchiveJob<T>, error: SessionRegistryError): void {
    const { controller } = job
    this.#settleTry(job)
    if (controller !== undefined) this.#abortLater(controller, error)
  }

  #abortLater(controller: AbortController, error: SessionRegistryError): void {
    const { events } = this.#lifecycle
    events.inBackground(() => events.defer(() => controller.abort(error)))
  }

  #end(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    this.#jobs.delete(job.record.id)
    job.entry?.remove()
    job.wakeWaiters()
    this.#pending.end()
    this.#onTryFreed()
  }

  /** There is a place for another try. */
  #onTryFreed(): void {
    this.#onSettled()
    this.#pump.schedule()
  }

  #timer(job: ArchiveJob<T>, ms: number, fn: () => void): Timer | undefined {
    const { clock, events } = this.#lifecycle
    const keepsAlive = this.#isClosing || job.waiters.size > 0
    try {
      return events.context.timer(clock, fn, ms, { keepsAlive, catchesUp: true })
    } catch (error) {
      // A host that gives no timer takes the limit away, not the archive.
      events.reportError(error, 'an archive could not be timed')
      return undefined
    }
  }
}
