import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import type { Claim } from '../archiving/claim.ts'
import type { ClaimStore, NewestStep } from '../archiving/claim-store.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { type Pause, pause } from '../pause.ts'
import { untilAborted } from '../until-aborted.ts'

/** The pauses between looks at an older incarnation that another process archives. */
const checkBackoff: Backoff = { firstMs: 20, maxMs: 100 }

export interface OlderIncarnationsHost {
  /** Whether this process may claim an incarnation that a caller waits for. */
  canClaimForCaller(): boolean
  /** Archives such an incarnation next. */
  archiveFirst(claim: Claim): void
  /** An incarnation of the id is the next to be claimed. */
  onClaimable(id: string): void
  /** A dead letter of the id is live again, and expires in `inMs`. */
  onRevived(id: string, inMs: number): void
  /** Fulfils when no `archive` of this process is running for the id; `undefined` where none is. */
  runningHook(id: string): Promise<void> | undefined
  /** As {@link runningHook}, for incarnations that were deleted. */
  runningHookOfDeleted(id: string): Promise<void> | undefined
}

/** The newest state of an id, when nothing older waits. */
export type NewestState = { readonly state: 'live' } | Extract<NewestStep, { state: 'loadable' | 'refused' }>

/**
 * The wait for the newest state of an absent id: until its older incarnations are archived, or its newest
 * dead letter is live again.
 */
export class OlderIncarnations<T> {
  readonly #claims: ClaimStore<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #host: OlderIncarnationsHost
  readonly #pauses = new Map<string, Set<Pause>>()

  constructor(claims: ClaimStore<T>, options: ResolvedRedisOptions<T>, host: OlderIncarnationsHost) {
    this.#claims = claims
    this.#options = options
    this.#host = host
  }

  /**
   * Waits until the archived state of an id is its newest, or there is a live session. A dead letter of
   * another owner than the caller's is not revived.
   *
   * Rejects with `ERR_SESSION_BUSY` after `maxTurnMs`, with `ERR_SESSION_REGISTRY_FULL`, and with the reason
   * of the signal.
   */
  async waitForNewest(
    id: string,
    callerOwner: () => string | undefined,
    signal: AbortSignal,
  ): Promise<NewestState> {
    const deadlineAt = realClock.now() + this.#options.maxTurnMs
    for (let attempt = 1; ; attempt += 1) {
      // The incarnation was deleted, but its hook may still write what would be loaded.
      const hook = this.#host.runningHook(id)
      const canClaim = this.#host.canClaimForCaller()
      const newest = await this.#claims.newest(id, callerOwner(), canClaim)
      signal.throwIfAborted()
      if (newest.state === 'live') {
        if (newest.inMs !== undefined) this.#host.onRevived(id, newest.inMs)
        return { state: 'live' }
      }
      if (newest.state === 'refused' || (newest.state === 'loadable' && hook === undefined)) return newest
      if (newest.state === 'claimed') this.#host.archiveFirst(newest.claim)
      else if (newest.state === 'waits' && !canClaim) this.#host.onClaimable(id)
      const remainingMs = deadlineAt - realClock.now()
      if (remainingMs <= 0) throw notArchivedError()
      if (newest.state === 'loadable' && hook !== undefined) await untilAborted(hook, signal)
      else await this.#backOff(id, Math.min(jitter(backoffMs(attempt, checkBackoff)), remainingMs), signal)
      signal.throwIfAborted()
    }
  }

  /** Waits for a running hook of a deleted incarnation. Rejects with the reason of the signal. */
  async waitForDeleted(id: string, signal: AbortSignal): Promise<void> {
    const hook = this.#host.runningHookOfDeleted(id)
    if (hook !== undefined) await untilAborted(hook, signal)
  }

  /** An incarnation of the id was archived or dead-lettered here: checks again at once. */
  wake(id: string): void {
    for (const current of this.#pauses.get(id) ?? []) current.finish()
  }

  async #backOff(id: string, ms: number, signal: AbortSignal): Promise<void> {
    const current = pause(ms, { signal })
    const pauses = this.#pauses.get(id) ?? new Set()
    this.#pauses.set(id, pauses.add(current))
    await current.elapsed
    pauses.delete(current)
    if (pauses.size === 0) this.#pauses.delete(id)
  }
}

function notArchivedError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BUSY',
    'Expected the older incarnation of the session to be archived within `maxTurnMs`, but it was not',
  )
}
