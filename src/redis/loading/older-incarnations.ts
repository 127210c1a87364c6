import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import type { Claim, ClaimStore } from '../archiving/claim-store.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { type Pause, pause } from '../pause.ts'
import { untilAborted } from '../until-aborted.ts'

/** The pauses between looks at an older incarnation that another process archives. */
const lookBackoff: Backoff = { firstMs: 20, maxMs: 100 }

export interface OlderIncarnationsHost {
  /** Whether this process may claim a life that is waited for. */
  canClaimForCaller(): boolean
  /** Takes such a life, ahead of all others. */
  archiveFirst(claim: Claim): void
  /** A life of the id is the next to be claimed. */
  onClaimable(id: string): void
  /** A life of the id was taken back to life, and is over in `inMs`. */
  onRevived(id: string, inMs: number): void
  /** Fulfils when no hook of this process works on the id any more. */
  runningHook(id: string): Promise<void> | undefined
  /** The same for lives that were deleted. */
  runningHookOfDeleted(id: string): Promise<void> | undefined
}

/**
 * The way from an absent id to its newest state: older lives are waited for until they are archived, one that
 * is on the dead list is taken back to life.
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
   * Returns the name of the state that `load` gives, once that is the newest; or `live`: there is a live
   * session.
   *
   * Rejects with `ERR_SESSION_BUSY` after `maxTurnMs`, with `ERR_SESSION_REGISTRY_FULL`, and as the signal
   * aborts.
   */
  async waitForNewest(id: string, signal: AbortSignal): Promise<{ readonly loadToken: string } | 'live'> {
    const deadlineAt = realClock.now() + this.#options.maxTurnMs
    for (let attempt = 1; ; attempt += 1) {
      // Its life was deleted, but the hook may still write into what would be loaded.
      const hook = this.#host.runningHook(id)
      const canClaim = this.#host.canClaimForCaller()
      const newest = await this.#claims.newest(id, canClaim)
      signal.throwIfAborted()
      if (newest.state === 'live') {
        if (newest.inMs !== undefined) this.#host.onRevived(id, newest.inMs)
        return 'live'
      }
      if (newest.state === 'loadable' && hook === undefined) return newest
      if (newest.state === 'claimed') this.#host.archiveFirst(newest.claim)
      else if (newest.state === 'waits' && !canClaim) this.#host.onClaimable(id)
      const leftMs = deadlineAt - realClock.now()
      if (leftMs <= 0) throw notArchivedError()
      if (newest.state === 'loadable' && hook !== undefined) await untilAborted(hook, signal)
      else await this.#backOff(id, Math.min(jitter(backoffMs(attempt, lookBackoff)), leftMs), signal)
      signal.throwIfAborted()
    }
  }

  /**
   * Waits for a hook of this process that still works on a deleted life of the id. Rejects as the signal
   * aborts.
   */
  async waitForDeleted(id: string, signal: AbortSignal): Promise<void> {
    const hook = this.#host.runningHookOfDeleted(id)
    if (hook !== undefined) await untilAborted(hook, signal)
  }

  /** A life of the id was archived or given up, here. */
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
    'Expected the older life of the session to be archived within `maxTurnMs`, but it was not',
  )
}
