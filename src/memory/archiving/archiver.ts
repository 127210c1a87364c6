import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { archiveTimeoutError, endedDuringError } from '../../core/errors/turn-errors.ts'
import type { Step } from '../../core/events/step.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import type { Timer } from '../../core/time/clock.ts'
import { archivesInFlight, type FastPathBlockers } from '../fast-path/blockers.ts'
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
 * The archiving of sessions before they end: a bounded number at once, tried again with growing pauses.
 *
 * ```
 *   start ─▶ ready ─▶ try ──▶ archived: the session ends
 *              ▲       │ failed
 *              │       ├──▶ last attempt: the session is restored (while closing: reported as failed)
 *              └ pause ┘
 * ```
 *
 * `archive-job.ts` is one session on this way, `archive-pump.ts` chooses the next try, `archive-backoff.ts`
 * the pause.
 *
 * A session that is deleted or replaced meanwhile ends at once, but its hook may still be writing. Its job is
 * then _abandoned_, and keeps the id until the hook has settled: no `load` then reads what is about to be
 * overwritten, and no two hooks of an id overlap.
 */
export class Archiver<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #pending: PendingWork
  readonly #blockers: FastPathBlockers
  readonly #options: ArchiverOptions<T>
  /** Takes a session whose last try has failed; set while the registry is closing. */
  #onGivenUp: ((record: SessionRecord<T>) => void) | undefined
  readonly #jobs = new Map<string, ArchiveJob<T>>()
  /** Jobs whose session has ended and whose hook has not settled. */
  readonly #abandoned = new Map<string, ArchiveJob<T>>()
  readonly #pump: ArchivePump<T>
  #isClosing = false

  constructor(
    components: {
      readonly owner: object
      readonly lifecycle: Lifecycle<T>
      readonly pending: PendingWork
      readonly blockers: FastPathBlockers
    },
    options: ArchiverOptions<T>,
  ) {
    const { owner, lifecycle, pending, blockers } = components
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#step = lifecycle.step
    this.#pending = pending
    this.#blockers = blockers
    this.#options = options
    this.#pump = new ArchivePump(lifecycle, options.archiveConcurrency, (job) => this.#try(job))
  }

  /** Number of sessions that are being archived or wait for it. */
  get count(): number {
    return this.#jobs.size
  }

  /** Whether the session of an id is being archived, or an abandoned hook of the id has not settled. */
  has(id: string): boolean {
    return this.#isBusy && (this.#jobs.has(id) || this.#abandoned.has(id))
  }

  ids(): string[] {
    return [...this.#jobs.keys()]
  }

  /** Takes a session that has left the table. Its hook is called among the events of the present step. */
  start(record: SessionRecord<T>, reason: ArchiveReason): void {
    this.#blockers.block(archivesInFlight)
    const job = new ArchiveJob(record, reason)
    this.#jobs.set(record.id, job)
    this.#pending.begin()
    this.#makeReady(job, (pump) => this.#lifecycle.events.defer(pump))
  }

  /** Calls `onSettled` once the id is free, and hurries its job. Returns a function that withdraws that. */
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

  /** Releases the ids of hooks that have not settled: the registry is closed. */
  stop(): void {
    for (const job of this.#abandoned.values()) this.#release(job)
  }

  /** Hurries the archives, and keeps the process alive for them: the registry is closing. */
  close(onGivenUp: (record: SessionRecord<T>) => void): void {
    this.#isClosing = true
    this.#onGivenUp = onGivenUp
    for (const job of this.#jobs.values()) {
      if (job.controller === undefined) this.#retryNow(job)
      else job.timer?.ref()
    }
  }

  /** Gives up all sessions: the deadline of `close` has passed. */
  giveUpAll(error: SessionRegistryError): void {
    this.#step.run(() => {
      for (const job of this.#jobs.values()) {
        this.#abort(job, error)
        this.#giveUp(job, error)
      }
    })
  }

  get #isBusy(): boolean {
    return this.#jobs.size > 0 || this.#abandoned.size > 0
  }

  /** Ends the pause of a job, if it is in one, and puts it in front if a call waits for its id. */
  #retryNow(job: ArchiveJob<T>): void {
    job.timer?.cancel()
    this.#makeReady(job)
  }

  #makeReady(job: ArchiveJob<T>, schedule?: (pump: () => void) => void): void {
    // An abandoned hook of the id has to settle first; then the job is made ready.
    if (!this.#abandoned.has(job.record.id)) this.#pump.add(job, schedule)
  }

  #try(job: ArchiveJob<T>): void {
    const { archive, archiveTimeoutMs } = this.#options
    if (archive === undefined) return
    job.timer = this.#timer(job, archiveTimeoutMs, () => this.#onTimeout(job))
    job.callHook(this.#owner, archive, this.#lifecycle.viewOf(job.record), (failure) => {
      this.#step.run(() => this.#onSettled(job, failure))
    })
  }

  #onSettled(job: ArchiveJob<T>, failure: { readonly error: unknown } | undefined): void {
    if (this.#isAbandoned(job)) this.#release(job)
    else if (failure === undefined) this.#succeed(job)
    else this.#fail(job, failure.error)
  }

  #isAbandoned(job: ArchiveJob<T>): boolean {
    return this.#abandoned.get(job.record.id) === job
  }

  /** Frees the id of an abandoned job: its hook has settled, or has had `archiveTimeoutMs`. */
  #release(job: ArchiveJob<T>): void {
    const { id } = job.record
    job.timer?.cancel()
    job.controller = undefined
    this.#abandoned.delete(id)
    const next = this.#jobs.get(id)
    if (next !== undefined) this.#makeReady(next)
    job.wakeWaiters()
    this.#pending.end()
    this.#onIdFreed()
  }

  #onTimeout(job: ArchiveJob<T>): void {
    this.#step.run(() => {
      if (this.#isAbandoned(job)) {
        this.#release(job)
        return
      }
      const error = archiveTimeoutError(this.#options.archiveTimeoutMs)
      this.#abort(job, error)
      this.#fail(job, error)
    })
  }

  #succeed(job: ArchiveJob<T>): void {
    this.#settleTry(job)
    this.#lifecycle.counters.archived += 1
    this.#lifecycle.finishArchived(job.record, job.reason)
    this.#end(job)
  }

  #fail(job: ArchiveJob<T>, error: unknown): void {
    this.#settleTry(job)
    const { attempt, record } = job
    this.#lifecycle.log.archiveFailed(record.id, attempt, error)
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
    this.#pump.schedule()
  }

  /** Restores the session, or leaves it to the report of `close`: the last try has failed. */
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

  /** Ends the try in flight, and aborts its signal at the end of the present step. */
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

  /** Another try may begin. */
  #onTryFreed(): void {
    this.#onIdFreed()
    this.#pump.schedule()
  }

  #onIdFreed(): void {
    if (!this.#isBusy) this.#blockers.unblock(archivesInFlight)
    this.#step.markChanged()
  }

  #timer(job: ArchiveJob<T>, ms: number, fn: () => void): Timer | undefined {
    const { clock, events } = this.#lifecycle
    const keepsAlive = this.#isClosing || job.waiters.size > 0
    try {
      return events.context.timer(clock, fn, ms, { keepsAlive, catchesUp: true })
    } catch (error) {
      // Without timers of the host there is no limit; the session is archived all the same.
      events.reportError(error, 'an archive could not be timed')
      return undefined
    }
  }
}
