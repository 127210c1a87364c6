import type { ConstructionContext } from '../../core/async/construction-context.ts'
import { realClock, type Timer } from '../../core/time/clock.ts'
import type { Archiver } from './archiver.ts'
import type { ClaimBatch, ClaimStore } from './claim-store.ts'

/** Incarnations per claim: the server is busy with one call for less than half a millisecond. */
const maxClaimBatch = 50

/** Smallest limit of a claim, unless the archiver has less capacity: a smaller one costs as much. */
const minClaimBatch = 16

/** The shortest pause between two polls, in milliseconds: deadlines close together are one poll. */
const minPauseMs = 20

/** The pause after a failed call, in milliseconds. */
const retryMs = 1_000

export interface PollerHost {
  /** The context of the polls: not that of the visitor whose call was the first. */
  readonly context: ConstructionContext
  /** Returns the latest deadline that may be claimed, in server time; `undefined` if nothing may be. */
  claimableUntil(): Promise<number | 'now' | undefined>
  /** Receives the result of a claim. */
  onClaimed(shard: number, claimed: ClaimBatch): void
  /** Called after a poll with the number of claims; fulfils when `swept` was emitted. Never rejects. */
  onSwept(claimed: number, startedAt: number): Promise<void>
  /** Called with the error of a failed call; once until a call succeeds. */
  onFailed(error: unknown): void
}

/**
 * A poller of deadlines: it claims expired sessions in each shard when the next one is due, and every
 * `intervalMs` at the latest.
 */
export class Poller<T> {
  readonly #store: ClaimStore<T>
  readonly #archiver: Archiver<T>
  readonly #intervalMs: number
  readonly #host: PollerHost
  /** Monotonic time of the next poll of each shard. */
  readonly #nextAt: number[]
  /** The shard after those of the last claims. */
  #firstShard = 0
  #timer: Timer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #isRunning = false
  #isWoken = false
  #polling: Promise<void> | undefined
  #isStarted = false
  #isStopped = false
  #isFailing = false

  constructor(
    store: ClaimStore<T>,
    archiver: Archiver<T>,
    shards: number,
    intervalMs: number,
    host: PollerHost,
  ) {
    this.#store = store
    this.#archiver = archiver
    this.#intervalMs = intervalMs
    this.#host = host
    this.#nextAt = Array.from({ length: shards }, () => 0)
  }

  /** Starts to poll, at the first call of any member of the registry. */
  start(): void {
    if (this.#isStarted || this.#isStopped || this.#intervalMs === Number.POSITIVE_INFINITY) return
    this.#isStarted = true
    this.#wake(0)
  }

  /** Stops. Fulfils when no poll is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#polling
  }

  /** Something in this shard will be due in `inMs`. */
  onDeadline(shard: number, inMs: number): void {
    const at = realClock.now() + inMs
    if (at >= (this.#nextAt[shard] ?? 0)) return
    this.#nextAt[shard] = at
    this.#wake(inMs)
  }

  /** The archiver has capacity again. */
  resume(): void {
    if (Math.min(...this.#nextAt) <= realClock.now()) this.#wakeNow()
  }

  /** Claims all expired sessions now, whatever the capacity of the archiver. Returns their number. */
  async sweep(): Promise<number> {
    const startedAt = realClock.now()
    const latest = await this.#host.claimableUntil()
    if (latest === undefined) return 0
    const claimed = await Promise.all(this.#nextAt.map((_, shard) => this.#drain(shard, latest)))
    const total = claimed.reduce((sum, one) => sum + one, 0)
    await this.#host.onSwept(total, startedAt)
    return total
  }

  async #drain(shard: number, latest: number | 'now'): Promise<number> {
    for (let total = 0; ; ) {
      const claimed = await this.#store.claim(shard, maxClaimBatch, latest)
      this.#host.onClaimed(shard, claimed)
      const settled = this.#archiver.add(claimed.claims)
      total += countNew(claimed)
      // Where nothing is archived they end within the sweep; else they are only sent to the archive.
      if (!this.#archiver.isArchiving) await settled
      if (!claimed.mayHaveMore || this.#isStopped) return total
    }
  }

  #wake(inMs: number): void {
    if (!this.#isStarted || this.#isStopped || this.#isRunning) return
    const waitMs = inMs <= 0 ? 0 : Math.max(inMs, minPauseMs)
    const at = realClock.now() + waitMs
    if (at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#host.context.timer(realClock, () => this.#onTimer(), waitMs)
  }

  /** Polls in the next iteration of the event loop: a timer would take a millisecond. */
  #wakeNow(): void {
    if (!this.#isStarted || this.#isStopped || this.#isRunning || this.#isWoken) return
    this.#isWoken = true
    this.#timer?.cancel()
    this.#timerAt = realClock.now()
    this.#host.context.nextLoopIteration(() => {
      this.#isWoken = false
      if (!this.#isStopped) this.#onTimer()
    })
  }

  #onTimer(): void {
    this.#polling = this.#poll()
  }

  async #poll(): Promise<void> {
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#isRunning = true
    const startedAt = realClock.now()
    let total = 0
    try {
      const claimed = await this.#claimDue(this.#due(startedAt))
      total = claimed.reduce((sum, one) => sum + one, 0)
      void this.#host.onSwept(total, startedAt)
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing && !this.#isStopped) this.#host.onFailed(error)
      this.#isFailing = true
    }
    this.#isRunning = false
    const isFull = this.#archiver.freeCapacity === 0
    const inMs = isFull ? this.#intervalMs : Math.min(...this.#nextAt) - realClock.now()
    // Only if this poll had a result: what is due may be what this process may not claim.
    if (inMs <= 0 && total > 0) this.#wakeNow()
    else this.#wake(inMs)
  }

  #due(now: number): number[] {
    const due: number[] = []
    for (let index = 0; index < this.#nextAt.length; index += 1) {
      const shard = (this.#firstShard + index) % this.#nextAt.length
      if ((this.#nextAt[shard] ?? 0) <= now) due.push(shard)
    }
    return due
  }

  /**
   * Claims in due shards, each with a share of the archiver's capacity; where that is small, only in a few
   * shards.
   */
  async #claimDue(due: readonly number[]): Promise<number[]> {
    if (due.length === 0 || this.#archiver.freeCapacity === 0) return []
    const latest = await this.#claimableUntil(due)
    if (latest === undefined) return []
    const { freeCapacity } = this.#archiver
    const share = Math.max(Math.floor(freeCapacity / due.length), Math.min(minClaimBatch, freeCapacity))
    const limit = Math.min(share, maxClaimBatch)
    const shards = limit === 0 ? [] : due.slice(0, Math.floor(freeCapacity / limit))
    // So that none starves where little can be claimed.
    this.#firstShard = ((shards.at(-1) ?? -1) + 1) % this.#nextAt.length
    return Promise.all(shards.map((shard) => this.#claimShard(shard, limit, latest)))
  }

  async #claimableUntil(due: readonly number[]): Promise<number | 'now' | undefined> {
    let pauseMs = Math.min(retryMs, this.#intervalMs)
    let latest: number | 'now' | undefined
    try {
      latest = await this.#host.claimableUntil()
      pauseMs = this.#intervalMs
    } finally {
      // If nothing may be claimed, or the call failed, these shards are polled again later.
      if (latest === undefined) for (const shard of due) this.#nextAt[shard] = realClock.now() + pauseMs
    }
    return latest
  }

  async #claimShard(shard: number, limit: number, latest: number | 'now'): Promise<number> {
    if (this.#isStopped) return 0
    const nextPollAt = realClock.now() + this.#intervalMs
    this.#nextAt[shard] = nextPollAt
    const claimed = await this.#store.claim(shard, limit, latest).catch((error) => {
      this.#nextAt[shard] = Math.min(nextPollAt, realClock.now() + retryMs)
      throw error
    })
    this.#nextAt[shard] = Math.min(this.#nextAt[shard], realClock.now() + claimed.nextDueMs)
    this.#host.onClaimed(shard, claimed)
    void this.#archiver.add(claimed.claims)
    return countNew(claimed)
  }
}

/** The number of first claims: the others were counted then. */
function countNew({ claims }: ClaimBatch): number {
  return claims.filter(({ isNew }) => isNew).length
}
