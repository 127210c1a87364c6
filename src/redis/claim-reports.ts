import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { realClock } from '../core/time/clock.ts'
import type { Claimed } from './claim-store.ts'
import { ClockWatch } from './clock-watch.ts'
import type { Teller } from './teller.ts'
import type { Walks } from './walks.ts'

/** Tells what the looks at the deadlines have found. */
export class ClaimReports<T> {
  readonly #teller: Teller<T>
  readonly #walks: Walks
  readonly #clock: ClockWatch

  constructor(teller: Teller<T>, walks: Walks, retentionMs: number) {
    this.#teller = teller
    this.#walks = walks
    this.#clock = new ClockWatch(retentionMs)
  }

  claimed(shard: number, { now, foreign }: Claimed): void {
    const jumpMs = this.#clock.jumpTo(shard, now)
    if (jumpMs !== undefined) this.#teller.failed(clockJumped(jumpMs), 'sessions may have been lost')
    if (foreign > 0) this.#teller.failed(foreignEntries(foreign), 'a queue of sessions was cleaned')
  }

  /** Fulfils when it is told. */
  async swept(claimed: number, startedAt: number): Promise<void> {
    if (claimed > 0) {
      await this.#teller.swept(claimed, realClock.now() - startedAt, () => this.#walks.size())
    }
  }

  failed(error: unknown): void {
    this.#teller.failed(error, 'sessions that are over could not be claimed')
  }
}

function clockJumped(jumpMs: number): SessionRegistryError {
  const seconds = Math.round(jumpMs / 1_000)
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    `Expected the clock of the server to run evenly, but it was set forward by ${seconds} s, which is more than ` +
      '`retentionMs`: data may have gone before any process archived them',
  )
}

function foreignEntries(count: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_FAILED',
    `Expected only sessions of this prefix in a queue, but it also had other entries: ${count} removed`,
  )
}
