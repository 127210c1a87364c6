import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { realClock } from '../../core/time/clock.ts'
import { newToken } from './tokens.ts'

interface UncertainLock {
  readonly token: string
  /** Monotonic time by which the lease has run out. */
  readonly expiresAt: number
}

/**
 * The tokens of turn locks whose calls were given up: the lock may have been taken, or may not have been
 * released.
 *
 * The next try of this process for the same session uses the token again, and so recognises its own lock,
 * which nobody else would get before its lease has run out.
 */
export class UncertainLocks {
  readonly #leaseMs: number
  readonly #locks = new Map<string, UncertainLock>()

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** The token for a try to lock a session. */
  tokenFor(id: string): string {
    const uncertain = this.#locks.get(id)
    this.#locks.delete(id)
    return uncertain === undefined || uncertain.expiresAt < realClock.now() ? newToken() : uncertain.token
  }

  /** Forgets a token, and returns whether it was lost and not used again. */
  forget(id: string, token: string): boolean {
    return this.#locks.get(id)?.token === token && this.#locks.delete(id)
  }

  /** Returns what `call` comes to, and notes the token where its outcome is not known. */
  async track<R>(id: string, token: string, call: Promise<R>): Promise<R> {
    try {
      return await call
    } catch (error) {
      if (isSessionRegistryError(error, 'ERR_SESSION_BACKEND_UNAVAILABLE')) this.#add(id, token)
      throw error
    }
  }

  #add(id: string, token: string): void {
    const now = realClock.now()
    // The oldest come first.
    for (const [other, { expiresAt: until }] of this.#locks) {
      if (until >= now) break
      this.#locks.delete(other)
    }
    this.#locks.delete(id)
    // A call is carried out before it is given up, so its lease does not begin later than now.
    this.#locks.set(id, { token, expiresAt: now + this.#leaseMs })
  }
}
