import { realClock, Timer } from '../core/clock.ts'
import { SessionRegistryError } from '../core/errors.ts'
import { endedDuringTurn } from '../core/refusals.ts'
import { outsideScopes } from '../core/turn-scope.ts'
import type { LeaseRef, SessionStore } from './session-store.ts'

/** What happens to a lease while it is kept. */
export interface LeaseEvents {
  /** It is no longer ours, or its session has ended. */
  lost(error: SessionRegistryError): void
  /** Another process asks the turn to stop. */
  interrupted(): void
}

/** A turn lock or a hold of this process, renewed every third of its lease until it is stopped. */
export class SessionLease<T> {
  readonly ref: LeaseRef
  readonly #store: SessionStore<T>
  readonly #leaseMs: number
  readonly #events: LeaseEvents
  #timer: Timer | undefined
  #renewedAt = realClock.now()
  #isStopped = false

  constructor(store: SessionStore<T>, leaseMs: number, ref: LeaseRef, events: LeaseEvents) {
    this.#store = store
    this.#leaseMs = leaseMs
    this.ref = ref
    this.#events = events
    this.#wait()
  }

  /** Renews it no more. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #wait(): void {
    // Not a part of the turn that it belongs to, whose async context it would otherwise keep.
    outsideScopes(() => {
      this.#timer = new Timer(realClock, () => void this.#renew(), this.#leaseMs / 3)
    })
  }

  async #renew(): Promise<void> {
    const askedAt = realClock.now()
    try {
      const outcome = await this.#store.renew(this.ref)
      if (this.#isStopped) return
      this.#renewedAt = askedAt
      if (outcome === 'ended') this.#lose(endedDuringTurn())
      else if (outcome === 'lost') this.#lose(lockLost())
      else if (outcome === 'interrupted') this.#events.interrupted()
    } catch (cause) {
      // Redis cannot be asked: after the lease another process may have taken over, so it is given up.
      if (!this.#isStopped && realClock.now() - this.#renewedAt > this.#leaseMs) this.#lose(lockLost(cause))
    }
    if (!this.#isStopped) this.#wait()
  }

  #lose(error: SessionRegistryError): void {
    this.stop()
    this.#events.lost(error)
  }
}

export function lockLost(cause?: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_LOCK_LOST',
    'Expected to hold the lock of the session until the end of the turn, but it was lost; nothing was saved',
    cause === undefined ? {} : { cause },
  )
}
