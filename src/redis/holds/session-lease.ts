import type { ConstructionContext } from '../../core/async/construction-context.ts'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { endedDuringTurnError } from '../../core/errors/turn-errors.ts'
import { realClock, type Timer } from '../../core/time/clock.ts'
import type { LeaseRef } from '../storage/lease-ref.ts'
import type { SessionStore } from '../storage/session-store.ts'

/** What the owner of a lease is notified of. */
export interface LeaseEvents {
  /** Another process has the lease, or its session has ended. */
  onLost(error: SessionRegistryError): void
  /** Another process requests that the turn stops. */
  onInterrupted(): void
}

/** Options of all leases of a registry. */
export interface LeaseOptions {
  readonly leaseMs: number
  /**
   * The context of the renewals. In that of a turn they would be part of the turn, and keep its request in
   * memory.
   */
  readonly context: ConstructionContext
}

/** A turn lock or a hold of this process, renewed every third of its lease until it is stopped. */
export class SessionLease<T> {
  readonly ref: LeaseRef
  readonly #store: SessionStore<T>
  readonly #options: LeaseOptions
  readonly #events: LeaseEvents
  #timer: Timer | undefined
  #renewedAt = realClock.now()
  #isStopped = false

  constructor(store: SessionStore<T>, options: LeaseOptions, ref: LeaseRef, events: LeaseEvents) {
    this.#store = store
    this.#options = options
    this.ref = ref
    this.#events = events
    this.#scheduleRenewal()
  }

  /** Stops the renewals. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** Renews it at once, and reports the outcome to the events. Rejects with the codes of the store. */
  async renew(): Promise<void> {
    if (!this.#isStopped) await this.#renewOnce()
  }

  #scheduleRenewal(): void {
    const { context, leaseMs } = this.#options
    this.#timer = context.timer(realClock, () => void this.#renew(), leaseMs / 3)
  }

  async #renew(): Promise<void> {
    try {
      await this.#renewOnce()
    } catch (cause) {
      const { leaseMs } = this.#options
      // Without a reply for the length of the lease, another process may have taken over.
      if (!this.#isStopped && realClock.now() - this.#renewedAt > leaseMs) this.#lose(lockLostError(cause))
    }
    if (!this.#isStopped) this.#scheduleRenewal()
  }

  async #renewOnce(): Promise<void> {
    const calledAt = realClock.now()
    const outcome = await this.#store.renew(this.ref)
    if (this.#isStopped) return
    this.#renewedAt = calledAt
    if (outcome === 'ended') this.#lose(endedDuringTurnError())
    else if (outcome === 'lost') this.#lose(lockLostError())
    else if (outcome === 'interrupted') this.#events.onInterrupted()
  }

  #lose(error: SessionRegistryError): void {
    this.stop()
    this.#events.onLost(error)
  }
}

export function lockLostError(cause?: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_LOCK_LOST',
    'Expected to hold the lock of the session until the end of the turn, but it was lost; nothing was saved',
    cause === undefined ? {} : { cause },
  )
}
