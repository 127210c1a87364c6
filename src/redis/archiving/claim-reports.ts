import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { realClock } from '../../core/time/clock.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import type { SessionScan } from '../storage/session-scan.ts'
import type { ClaimBatch } from './claim-store.ts'
import { ClockJumpDetector } from './clock-jump-detector.ts'

/** The events and errors of the poller. */
export class ClaimReports<T> {
  readonly #log: SnapshotLog<T>
  readonly #scan: SessionScan
  readonly #clockJumps: ClockJumpDetector

  constructor(log: SnapshotLog<T>, scan: SessionScan, retentionMs: number) {
    this.#log = log
    this.#scan = scan
    this.#clockJumps = new ClockJumpDetector(retentionMs)
  }

  onClaimed(shard: number, { now, foreignCount }: ClaimBatch): void {
    const jumpMs = this.#clockJumps.observe(shard, now)
    if (jumpMs !== undefined) this.#log.failed(clockJumpedError(jumpMs), 'sessions may have been lost')
    if (foreignCount > 0)
      this.#log.failed(foreignEntriesError(foreignCount), 'foreign entries were removed from a queue')
  }

  /** Emits `swept`. Fulfils when its listeners were called. */
  async onSwept(claimed: number, startedAt: number): Promise<void> {
    if (claimed > 0) {
      await this.#log.swept(claimed, realClock.now() - startedAt, () => this.#scan.size())
    }
  }

  onFailed(error: unknown): void {
    this.#log.failed(error, 'expired sessions could not be claimed')
  }
}

function clockJumpedError(jumpMs: number): SessionRegistryError {
  const seconds = Math.round(jumpMs / 1_000)
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    `Expected the clock of the server to run evenly, but it was set forward by ${seconds} s, which is more than ` +
      '`retentionMs`: data may have expired before any process archived them',
  )
}

function foreignEntriesError(count: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_FAILED',
    `Expected a queue to have only sessions of this prefix, but it had ${count} other entries, which were removed`,
  )
}
