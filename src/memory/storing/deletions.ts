import { startTimer } from '../../core/async/contained-timer.ts'
import { HookCall, type HookHost, type HookSignal } from '../../core/async/hook-call.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { storeFailedError, storeTimeoutError } from '../../core/errors/store-errors.ts'
import type { CheckedStore } from '../../core/storing/checked-store.ts'
import type { SerialCalls } from '../../core/storing/serial-calls.ts'
import { JobPump } from '../jobs/job-pump.ts'
import { retryBackoffMs } from '../jobs/retry-backoff.ts'
import { Deletion } from './deletion.ts'

export interface DeletionsOptions {
  readonly archiveConcurrency: number
  readonly archiveAttempts: number
  readonly archiveTimeoutMs: number
}

/**
 * Deletions from the store: each is tried again, with growing pauses, until it succeeds. Until then the id is
 * not read, since its old state would come back, and not written.
 */
export class Deletions {
  readonly #host: HookHost
  readonly #store: CheckedStore
  readonly #calls: SerialCalls
  readonly #options: DeletionsOptions
  readonly #jobs = new Map<string, Deletion>()
  readonly #pump: JobPump<Deletion>
  #isClosing = false

  constructor(host: HookHost, store: CheckedStore, calls: SerialCalls, options: DeletionsOptions) {
    this.#host = host
    this.#store = store
    this.#calls = calls
    this.#options = options
    const { clock, step } = host
    const pumpHost = { clock, events: step.events }
    this.#pump = new JobPump(pumpHost, options.archiveConcurrency, (job) => this.#try(job))
  }

  get count(): number {
    return this.#jobs.size
  }

  /** Whether the session of an id is being deleted. */
  has(id: string): boolean {
    return this.#jobs.size > 0 && this.#jobs.has(id)
  }

  /**
   * Deletes whatever the store has of an id. Joins a deletion that is under way; if a try of it is in flight,
   * another follows, since another process may have written after its effect.
   */
  start(id: string): void {
    const existing = this.#jobs.get(id)
    if (existing !== undefined) {
      existing.isAskedAgain = existing.call !== undefined
      return
    }
    const job = new Deletion(id)
    this.#jobs.set(id, job)
    this.#host.pending.begin()
    this.#pump.add(job)
  }

  /** Calls `onSettled` once the deletion is done, and hurries it. Returns a function that withdraws that. */
  whenSettled(id: string, onSettled: () => void): () => void {
    const job = this.#jobs.get(id)
    if (job === undefined) return () => {}
    job.waiters.add(onSettled)
    this.#hurry(job)
    return () => {
      job.waiters.delete(onSettled)
      if (!this.#keepsAlive(job)) job.keepAlive(false)
    }
  }

  /** Hurries a deletion. Rejects with the error of the last of `tries`; it goes on all the same. */
  async whenDeleted(id: string, { tries }: { readonly tries: number }): Promise<void> {
    const job = this.#jobs.get(id)
    if (job === undefined) return
    const done = job.whenDone(tries)
    this.#hurry(job)
    await done
  }

  /** Hurries all, and keeps the process alive for them: the registry is closing. */
  close(): void {
    this.#isClosing = true
    for (const job of this.#jobs.values()) this.#hurry(job)
  }

  /** Gives up all, each with an `error`: the deadline of `close` has passed. */
  giveUpAll(error: SessionRegistryError): void {
    for (const job of this.#jobs.values()) {
      this.#report(job, error)
      job.call?.abort(error)
      job.call?.finish()
      this.#end(job, error)
    }
  }

  #hurry(job: Deletion): void {
    if (job.call !== undefined) {
      job.keepAlive(true)
      return
    }
    job.pause?.cancel()
    job.pause = undefined
    this.#pump.add(job)
  }

  #try(job: Deletion): void {
    const { id } = job
    job.attempt += 1
    job.isAskedAgain = false
    const init = {
      id,
      call: ({ signal }: HookSignal) =>
        this.#calls.call(id, signal, () => this.#store.delete(id, { signal })),
      timeoutMs: this.#options.archiveTimeoutMs,
      timeoutError: storeTimeoutError,
      timerFailure: 'a deletion could not be timed',
      keepsAlive: this.#keepsAlive(job),
    } as const
    job.call = new HookCall<void>(this.#host, init, {
      onFulfilled: () => this.#settle(job, () => this.#onDeleted(job)),
      onRejected: (error) => this.#settle(job, () => this.#fail(job, error)),
    })
    job.call.start()
  }

  #settle(job: Deletion, then: () => void): void {
    job.call = undefined
    this.#pump.finish()
    then()
    this.#pump.schedule()
  }

  #onDeleted(job: Deletion): void {
    if (!job.isAskedAgain) {
      this.#end(job)
      return
    }
    job.attempt = 0
    this.#pump.add(job)
  }

  #fail(job: Deletion, error: unknown): void {
    const { attempt } = job
    job.onFailed(error)
    if (attempt === this.#options.archiveAttempts) this.#report(job, error)
    const backoffMs = retryBackoffMs(attempt, { isAwaited: job.isAwaited, isClosing: this.#isClosing })
    const options = { keepsAlive: this.#keepsAlive(job), catchesUp: true }
    const { clock, step } = this.#host
    const host = { clock, events: step.events }
    const retry = () => {
      job.pause = undefined
      this.#pump.add(job)
    }
    job.pause = startTimer(host, retry, backoffMs, 'a deletion could not be timed', options)
    if (job.pause === undefined) this.#pump.add(job)
  }

  #report(job: Deletion, error: unknown): void {
    const { events } = this.#host.step
    const failed = storeFailedError('delete the session', error)
    events.reportError(failed, 'session could not be deleted from the store', job.id)
  }

  #end(job: Deletion, error?: unknown): void {
    this.#jobs.delete(job.id)
    job.pause?.cancel()
    job.entry?.remove()
    job.end(error)
    this.#host.pending.end()
    const { step } = this.#host
    step.run(() => step.markChanged())
  }

  #keepsAlive(job: Deletion): boolean {
    return this.#isClosing || job.isAwaited
  }
}
