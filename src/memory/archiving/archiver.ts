import { startTimer } from '../../core/async/contained-timer.ts'
import { HookCall, type HookHost, type HookSignal } from '../../core/async/hook-call.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { archiveTimeoutError, endedDuringError } from '../../core/errors/turn-errors.ts'
import type { Step } from '../../core/events/step.ts'
import { archivesInFlight, type FastPathBlockers } from '../fast-path/blockers.ts'
import { JobPump } from '../jobs/job-pump.ts'
import { retryBackoffMs } from '../jobs/retry-backoff.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { ArchiveFailures, ArchiveHook, ArchiverOptions } from './archive-hook.ts'
import { ArchiveJob } from './archive-job.ts'

/**
 * The archiving of sessions before they end: a bounded number at once, tried again with growing pauses.
 *
 * ```
 *   start ─▶ ready ─▶ try ──▶ archived: the session ends
 *              ▲       │ failed
 *              │       ├──▶ last attempt: the session is restored (while closing: reported as failed)
 *              │       ├──▶ conflict: the session ends as replaced
 *              └ pause ┘
 * ```
 *
 * `archive-job.ts` is one session on this way, `job-pump.ts` chooses the next try, `retry-backoff.ts` the
 * pause.
 *
 * A session that is deleted or replaced meanwhile ends at once, but its hook may still be writing. Its job is
 * then _abandoned_, and keeps the id until the hook has settled: no `load` then reads what is about to be
 * overwritten, and no two hooks of an id overlap.
 */
export class Archiver<T> {
  readonly #host: HookHost
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #pending: PendingWork
  readonly #blockers: FastPathBlockers
  /** `undefined` where sessions end at once. */
  readonly #hook: ArchiveHook<T> | undefined
  readonly #options: ArchiverOptions
  readonly #onHookSettled: (record: SessionRecord<T>) => void
  /** Receives the sessions that were not archived; set while the registry is closing. */
  #failures: ArchiveFailures<T> | undefined
  readonly #jobs = new Map<string, ArchiveJob<T>>()
  /** Jobs whose session has ended and whose hook has not settled. */
  readonly #abandoned = new Map<string, ArchiveJob<T>>()
  readonly #pump: JobPump<ArchiveJob<T>>
  #isClosing = false

  constructor(
    components: {
      readonly owner: object
      readonly lifecycle: Lifecycle<T>
      readonly pending: PendingWork
      readonly blockers: FastPathBlockers
      /** The hook of a session that has ended meanwhile has settled. */
      readonly onHookSettled: (record: SessionRecord<T>) => void
    },
    hook: ArchiveHook<T> | undefined,
    options: ArchiverOptions,
  ) {
    const { owner, lifecycle, pending, blockers, onHookSettled } = components
    this.#onHookSettled = onHookSettled
    this.#host = { owner, step: lifecycle.step, clock: lifecycle.clock, pending }
    this.#lifecycle = lifecycle
    this.#step = lifecycle.step
    this.#pending = pending
    this.#blockers = blockers
    this.#hook = hook
    this.#options = options
    this.#pump = new JobPump(lifecycle, options.archiveConcurrency, (job) => this.#try(job))
  }

  /** Number of sessions that are being archived or wait for it. */
  get count(): number {
    return this.#jobs.size
  }

  /** Whether the session of an id is being archived, or an abandoned hook of the id has not settled. */
  has(id: string): boolean {
    return this.#isBusy && (this.#jobs.has(id) || this.#abandoned.has(id))
  }

  /** The session of an id that is being archived or waits for it. */
  recordOf(id: string): SessionRecord<T> | undefined {
    return this.#jobs.get(id)?.record
  }

  jobs(): ArchiveJob<T>[] {
    return [...this.#jobs.values()]
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
    if (job.call === undefined) this.#retryNow(job)
    else job.keepAlive(true)
    return () => {
      job.waiters.delete(onSettled)
      if (job.waiters.size === 0 && !this.#isClosing) job.keepAlive(false)
    }
  }

  /** Ends a session that is being archived. Returns whether there was one. */
  abandon(id: string, reason: 'deleted' | 'replaced'): boolean {
    const job = this.#jobs.get(id)
    if (job === undefined) return false
    const { call } = job
    this.#lifecycle.finishArchived(job.record, reason, { isArchived: false, waits: call !== undefined })
    if (call === undefined) {
      this.#end(job)
      return true
    }
    this.#jobs.delete(id)
    this.#abandoned.set(id, job)
    this.#pump.finish()
    call.abort(endedDuringError('archive', reason))
    if (this.#keepsAlive(job)) call.ref()
    // What is left is the hook, which is pending work by itself.
    this.#pending.end()
    this.#onTryFreed()
    return true
  }

  /** Releases the ids of hooks that have not settled: the registry is closed. */
  stop(): void {
    for (const { call } of this.#abandoned.values()) call?.finish()
  }

  /** Hurries the archives, and keeps the process alive for them: the registry is closing. */
  close(failures: ArchiveFailures<T>): void {
    this.#isClosing = true
    this.#failures = failures
    for (const job of this.#jobs.values()) {
      if (job.call === undefined) this.#retryNow(job)
      else job.keepAlive(true)
    }
  }

  /** Gives up all sessions: the deadline of `close` has passed. */
  giveUpAll(error: SessionRegistryError): void {
    this.#step.run(() => {
      for (const job of this.#jobs.values()) {
        const { call } = job
        this.#settleTry(job)
        call?.abort(error)
        call?.finish()
        this.#giveUp(job, error)
      }
    })
  }

  get #isBusy(): boolean {
    return this.#jobs.size > 0 || this.#abandoned.size > 0
  }

  /** Ends the pause of a job, if it is in one, and puts it in front if a call waits for its id. */
  #retryNow(job: ArchiveJob<T>): void {
    job.pause?.cancel()
    this.#makeReady(job)
  }

  #makeReady(job: ArchiveJob<T>, schedule?: (pump: () => void) => void): void {
    // An abandoned hook of the id has to settle first; then the job is made ready.
    if (!this.#abandoned.has(job.record.id)) this.#pump.add(job, schedule)
  }

  #try(job: ArchiveJob<T>): void {
    const hook = this.#hook
    if (hook === undefined) return
    job.attempt += 1
    const { record, reason, attempt } = job
    const detailsOf = () => ({ incarnation: this.#lifecycle.viewOf(record).incarnation, reason, attempt })
    const init = {
      id: record.id,
      call: ({ signal }: HookSignal) => hook.archive(record, reason, { signal, attempt }),
      timeoutMs: this.#options.archiveTimeoutMs,
      timeoutError: archiveTimeoutError,
      timerFailure: 'an archive could not be timed',
      keepsAlive: this.#keepsAlive(job),
      trace: this.#step.channels.trace('archive', record.id, detailsOf),
    } as const
    job.call = new HookCall<unknown>(this.#host, init, {
      onFulfilled: () => this.#step.run(() => this.#succeed(job)),
      onRejected: (error) => this.#step.run(() => this.#fail(job, error)),
      onFinished: () => {
        if (this.#isAbandoned(job)) this.#step.run(() => this.#release(job))
      },
    })
    job.call.start()
  }

  #isAbandoned(job: ArchiveJob<T>): boolean {
    return this.#abandoned.get(job.record.id) === job
  }

  /** Frees the id of an abandoned job: its hook has settled, or has had `archiveTimeoutMs`. */
  #release(job: ArchiveJob<T>): void {
    const { id } = job.record
    job.call = undefined
    this.#abandoned.delete(id)
    this.#onHookSettled(job.record)
    const next = this.#jobs.get(id)
    if (next !== undefined) this.#makeReady(next)
    job.wakeWaiters()
    this.#onIdFreed()
  }

  #succeed(job: ArchiveJob<T>): void {
    this.#settleTry(job)
    const isArchived = this.#hook?.keeps(job.reason) === true
    if (isArchived) this.#lifecycle.counters.archived += 1
    this.#lifecycle.finishArchived(job.record, job.reason, { isArchived })
    this.#end(job)
  }

  #fail(job: ArchiveJob<T>, error: unknown): void {
    this.#settleTry(job)
    const { attempt, record } = job
    this.#lifecycle.log.archiveFailed(record.id, attempt, error)
    if (this.#hook?.isConflict(error) === true) {
      this.#endReplaced(job)
    } else if (attempt >= this.#options.archiveAttempts) {
      this.#giveUp(job, error)
    } else {
      const backoffMs = retryBackoffMs(attempt, {
        isAwaited: job.isAwaited,
        isClosing: this.#isClosing,
      })
      const options = { keepsAlive: this.#keepsAlive(job), catchesUp: true }
      const failure = 'an archive could not be timed'
      job.pause = startTimer(this.#lifecycle, () => this.#makeReady(job), backoffMs, failure, options)
      if (job.pause === undefined) this.#makeReady(job)
    }
    this.#pump.schedule()
  }

  /** Restores the session, or leaves it to the report of `close`: the last try has failed. */
  #giveUp(job: ArchiveJob<T>, error: unknown): void {
    this.#jobs.delete(job.record.id)
    if (this.#failures !== undefined) this.#failures.onGivenUp(job.record)
    else this.#lifecycle.restore(job.record, error)
    this.#end(job)
  }

  /** Ends a session that was changed elsewhere: what is stored is newer than what this process has. */
  #endReplaced(job: ArchiveJob<T>): void {
    const { record } = job
    this.#lifecycle.reportConflict(record)
    // What `close` reports is the application's, and is not disposed of.
    if (this.#failures !== undefined) this.#lifecycle.finish(record, 'replaced')
    else this.#lifecycle.finishArchived(record, 'replaced', { isArchived: false })
    this.#failures?.onConflict(record)
    this.#end(job)
  }

  #settleTry(job: ArchiveJob<T>): void {
    if (job.call === undefined) return
    job.call = undefined
    this.#pump.finish()
  }

  #end(job: ArchiveJob<T>): void {
    job.pause?.cancel()
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

  #keepsAlive(job: ArchiveJob<T>): boolean {
    return this.#isClosing || job.isAwaited
  }
}
