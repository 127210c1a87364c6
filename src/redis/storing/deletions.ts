import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { storeFailedError } from '../../core/errors/store-errors.ts'
import { busyError } from '../../core/errors/turn-errors.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import type { Claim } from '../archiving/claim.ts'
import type { ClaimStore } from '../archiving/claim-store.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { type Pause, pause } from '../pause.ts'
import type { IncarnationRef } from '../storage/keys.ts'

/** The pauses between looks at a deletion. */
const checkBackoff: Backoff = { firstMs: 20, maxMs: 100 }

export interface DeletionsHost {
  /** Whether this process may claim a deletion that a caller waits for. */
  canClaimForCaller(): boolean
  /** Makes an attempt at such a deletion next. */
  runFirst(claim: Claim): void
}

/** Calls that wait until a session is deleted from the store, by whichever process. */
export class Deletions<T> {
  readonly #claims: ClaimStore<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #host: DeletionsHost
  /** The pauses of the calls that wait for each deletion. */
  readonly #pauses = new Map<string, Set<Pause>>()
  /** The last error in this process of each deletion that a call waits for. */
  readonly #errors = new Map<string, unknown>()
  #closedError: SessionRegistryError | undefined

  constructor(claims: ClaimStore<T>, options: ResolvedRedisOptions<T>, host: DeletionsHost) {
    this.#claims = claims
    this.#options = options
    this.#host = host
  }

  /**
   * Fulfils when a deletion is done. Rejects with `ERR_SESSION_STORE_FAILED` after `archiveAttempts`
   * failures, although it goes on, and with `ERR_SESSION_BUSY` after `maxTurnMs`.
   */
  async whenDone(deletion: IncarnationRef): Promise<void> {
    const { incarnation } = deletion
    const pauses = this.#pauses.get(incarnation) ?? new Set<Pause>()
    this.#pauses.set(incarnation, pauses)
    try {
      await this.#wait(deletion, pauses)
    } finally {
      if (pauses.size === 0) {
        this.#pauses.delete(incarnation)
        this.#errors.delete(incarnation)
      }
    }
  }

  /** An attempt at a deletion has failed here, or it is done: checks again at once. */
  onSettled(incarnation: string, error?: unknown): void {
    const pauses = this.#pauses.get(incarnation)
    if (pauses === undefined) return
    if (error !== undefined) this.#errors.set(incarnation, error)
    for (const current of pauses) current.finish()
  }

  /** Rejects all calls: the registry is closed. */
  rejectAll(error: SessionRegistryError): void {
    this.#closedError = error
    for (const pauses of this.#pauses.values()) for (const current of pauses) current.finish()
  }

  async #wait(deletion: IncarnationRef, pauses: Set<Pause>): Promise<void> {
    const deadlineAt = realClock.now() + this.#options.maxTurnMs
    let failuresBefore: number | undefined
    for (let attempt = 1; ; attempt += 1) {
      const current = pause(jitter(backoffMs(attempt, checkBackoff)))
      pauses.add(current)
      try {
        const step = await this.#claims.hurryDeletion(deletion, this.#host.canClaimForCaller())
        if (step.state === 'done') return
        if (step.state === 'claimed') this.#host.runFirst(step.claim)
        failuresBefore ??= step.failures
        if (step.failures - failuresBefore >= this.#options.archiveAttempts)
          throw storeFailedError('delete the session', this.#errors.get(deletion.incarnation))
        if (this.#closedError !== undefined) throw this.#closedError
        if (realClock.now() >= deadlineAt) throw busyError()
        await current.elapsed
      } finally {
        current.finish()
        pauses.delete(current)
      }
    }
  }
}
