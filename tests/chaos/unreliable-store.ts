import type { Session } from 'session-registry'
import type { ManualClock } from 'session-registry/testing'
import type { Random } from '../support/random.ts'

/**
 * A store that fails in one call of five: it is slow, hangs until its signal aborts, or fails after the
 * write. It honours its signal, so it does not restore what was deleted.
 */
export class UnreliableStore {
  readonly stored = new Map<string, number[]>()
  isReliable = false
  readonly #random: Random
  readonly #clock: ManualClock

  constructor(random: Random, clock: ManualClock) {
    this.#random = random
    this.#clock = clock
  }

  readonly archive = async (
    session: Session<number[]>,
    _reason: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> => {
    if (this.isReliable) {
      this.stored.set(session.id, [...session.value])
      return
    }
    if (this.#random.chance(0.05)) await this.#wait(Number.POSITIVE_INFINITY, signal)
    if (this.#random.chance(0.4)) await this.#wait(this.#random.below(40), signal)
    const fails = this.#random.chance(0.2)
    if (fails && this.#random.chance(0.7)) throw new Error('the store is down')
    // As a hook has to: after the last wait, and before it writes.
    signal.throwIfAborted()
    this.stored.set(session.id, [...session.value])
    if (fails) throw new Error('the connection was lost before the answer came')
  }

  readonly load = async (
    id: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<number[] | undefined> => {
    if (!this.isReliable) {
      if (this.#random.chance(0.01)) await this.#wait(Number.POSITIVE_INFINITY, signal)
      if (this.#random.chance(0.4)) await this.#wait(this.#random.below(40), signal)
      if (this.#random.chance(0.1)) throw new Error('the store is down')
    }
    const value = this.stored.get(id)
    return value === undefined ? undefined : [...value]
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason))
      if (Number.isFinite(ms)) this.#clock.setTimeout(resolve, ms)
    })
  }
}
