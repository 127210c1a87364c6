import { onAbort } from '../core/async/abort-listeners.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { realClock } from '../core/time/clock.ts'
import type { Claim, ClaimStore } from './claim-store.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter, type Pause, pause } from './pause.ts'
import { untilAborted } from './until-aborted.ts'

/** Between two looks at an older life that another process archives. */
const firstPauseMs = 20
const maxPauseMs = 100

export interface OlderLivesHost {
  /** Whether this process may claim a life that is waited for. */
  takesWaited(): boolean
  /** Takes such a life, ahead of all others. */
  take(claim: Claim): void
  /** A life of the id is the next to be claimed. */
  waiting(id: string): void
  /** A life of the id was taken back to life, and is over in `inMs`. */
  revived(id: string, inMs: number): void
  /** Fulfils when no hook of this process works on the id any more. */
  hookUnderWay(id: string): Promise<void> | undefined
  /** The same for lives that were deleted. */
  deletedHookUnderWay(id: string): Promise<void> | undefined
}

/**
 * The way from an absent id to its newest state: older lives are waited for until they are archived, one that is on the dead
 * list is taken back to life.
 */
export class OlderLives<T> {
  readonly #claims: ClaimStore<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #host: OlderLivesHost
  readonly #naps = new Map<string, Set<Pause>>()

  constructor(claims: ClaimStore<T>, options: ResolvedRedisOptions<T>, host: OlderLivesHost) {
    this.#claims = claims
    this.#options = options
    this.#host = host
  }

  /**
   * Returns the name of the state that `load` gives, once that is the newest; or `live`: there is a live session.
   *
   * Rejects with `ERR_SESSION_BUSY` after `maxTurnMs`, with `ERR_SESSION_REGISTRY_FULL`, and as the signal aborts.
   */
  async pass(id: string, signal: AbortSignal): Promise<{ readonly loaded: string } | 'live'> {
    const until = realClock.now() + this.#options.maxTurnMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      // Its life was deleted, but the hook may still write into what would be loaded.
      const hook = this.#host.hookUnderWay(id)
      const takes = this.#host.takesWaited()
      const newest = await this.#claims.newest(id, takes)
      signal.throwIfAborted()
      if (newest.state === 'live') {
        if (newest.inMs !== undefined) this.#host.revived(id, newest.inMs)
        return 'live'
      }
      if (newest.state === 'loadable' && hook === undefined) return newest
      if (newest.state === 'claimed') this.#host.take(newest.claim)
      else if (newest.state === 'waits' && !takes) this.#host.waiting(id)
      const leftMs = until - realClock.now()
      if (leftMs <= 0) throw notArchived()
      if (newest.state === 'loadable' && hook !== undefined) await untilAborted(hook, signal)
      else await this.#nap(id, Math.min(jitter(pauseMs), leftMs), signal)
      signal.throwIfAborted()
    }
  }

  /** Waits for a hook of this process that still works on a deleted life of the id. Rejects as the signal aborts. */
  async passDeleted(id: string, signal: AbortSignal): Promise<void> {
    const hook = this.#host.deletedHookUnderWay(id)
    if (hook !== undefined) await untilAborted(hook, signal)
  }

  /** A life of the id was archived or given up, here. */
  wake(id: string): void {
    for (const nap of this.#naps.get(id) ?? []) nap.cut()
  }

  async #nap(id: string, ms: number, signal: AbortSignal): Promise<void> {
    const nap = pause(ms)
    const naps = this.#naps.get(id) ?? new Set()
    this.#naps.set(id, naps.add(nap))
    const stopListening = onAbort(signal, nap.cut)
    await nap.over
    stopListening()
    naps.delete(nap)
    if (naps.size === 0) this.#naps.delete(id)
  }
}

function notArchived(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BUSY',
    'Expected the older life of the session to be archived within `maxTurnMs`, but it was not',
  )
}
