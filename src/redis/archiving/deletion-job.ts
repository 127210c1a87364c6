import type { HookSignal } from '../../core/async/hook-call.ts'
import { storeFailedError, storeTimeoutError } from '../../core/errors/store-errors.ts'
import { backoffMs, jitter } from '../../core/time/backoff.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import type { DurableStore } from '../storing/durable-store.ts'
import type { ArchiveCalls } from './archive-calls.ts'
import { isAbortedByClose } from './archive-errors.ts'
import { archiveBackoff, type Job } from './archive-job.ts'
import type { ClaimSettlement } from './claim-settlement.ts'

export interface DeletionJobsComponents<T> {
  readonly durable: DurableStore<T> | undefined
  readonly calls: ArchiveCalls
  readonly settlement: ClaimSettlement<T>
  readonly log: SnapshotLog<T>
}

/**
 * Deletions from the store. Each is a claim like an archive, so that it comes in order with the writes of its
 * id, and outlives its process. It is tried until it succeeds.
 */
export class DeletionJobs<T> {
  readonly #components: DeletionJobsComponents<T>
  readonly #options: ResolvedRedisOptions<T>
  /** Called when an attempt has failed, with its error, and when one has succeeded. */
  onSettled: ((incarnation: string, error?: unknown) => void) | undefined = undefined

  constructor(components: DeletionJobsComponents<T>, options: ResolvedRedisOptions<T>) {
    this.#components = components
    this.#options = options
  }

  /** Makes an attempt. Returns whether the session is gone from the store. */
  async run(job: Job, attempt: number): Promise<boolean> {
    const { durable, calls, settlement } = this.#components
    const { claim, abort } = job
    if (durable === undefined) {
      // Another process has the store.
      await settlement.settle(job, { kind: 'retry', pauseMs: archiveBackoff.maxMs })
      return false
    }
    const call = ({ signal }: HookSignal) => durable.delete(claim.id, signal)
    try {
      await calls.run({ id: claim.id, call, timeoutError: storeTimeoutError, abort })
    } catch (error) {
      await durable.whenSettled(claim.id, this.#options.leaseMs)
      if (!job.isLost) await this.#fail(job, attempt, error)
      return false
    }
    if (job.isLost || !(await settlement.settle(job, { kind: 'ack' }))) return false
    this.onSettled?.(claim.incarnation)
    return true
  }

  async #fail(job: Job, attempt: number, error: unknown): Promise<void> {
    const { settlement, log } = this.#components
    const { id, incarnation } = job.claim
    const pauseMs = isAbortedByClose(job.abort) ? 0 : jitter(backoffMs(attempt, archiveBackoff))
    await settlement.settle(job, { kind: 'retry', pauseMs })
    this.onSettled?.(incarnation, error)
    if (attempt !== this.#options.archiveAttempts) return
    const failed = storeFailedError('delete the session', error)
    log.failed(failed, 'session could not be deleted from the store', id)
  }
}
