import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { realClock } from '../../core/time/clock.ts'
import { newToken } from './tokens.ts'

interface UncertainLock {
  readonly token: string
  /** Monotonic time by which the lease has lapsed. */
  readonly expiresAt: number
}

/**
 * The tokens of turn locks whose calls got no reply: the lock may have been taken, or not have been released.
 *
 * The next attempt of this process for the same session uses the token again, and so recognises its own lock,
 * which no other process could take before its lease has lapsed.
 */
export class UncertainLocks {
  readonly #leaseMs: number
  readonly #locks = new Map<string, UncertainLock>()

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** Returns the token for an attempt to lock a session. */
  tokenFor(id: string): string {
    const uncertain = this.#locks.get(id)
    this.#locks.delete(id)
    return uncertain === undefined || uncertain.expiresAt < realClock.now() ? newToken() : uncertain.token
  }

  /** Forgets a token. Returns whether it was uncertain and not used again. */
  forget(id: string, token: string): boolean {
    return this.#locks.get(id)?.token === token && this.#locks.delete(id)
  }

  /** Returns the result of `call`, and keeps the token if its outcome is unknown. */
  track<R>(id: string, token: string, call: Promise<R>): Promise<R> {
    return call.catch((error) => {
      if (isSessionRegistryError(error, 'ERR_SESSION_BACKEND_UNAVAILABLE')) this.#add(id, token)
      throw error
    })
  }

  #add(id: string, token: string): void {
    const now = realClock.now()
    // A `Map` iterates in the order of insertion: oldest first.
    for (const [other, { expiresAt: until }] of this.#locks) {
      if (until >= now) break
      this.#locks.delete(other)
    }
    this.#locks.delete(id)
    // A call runs before it is rejected, so its lease does not begin later than now.
    this.#locks.set(id, { token, expiresAt: now + this.#leaseMs })
  }
}
