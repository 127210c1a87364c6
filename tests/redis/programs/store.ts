import type { Random } from '../../support/random.ts'

/** The current behaviour of the store of a random program. */
export type Weather = 'well' | 'down' | 'forgetful'

interface Write {
  readonly id: string
  readonly value: readonly string[]
  readonly signal: AbortSignal
  readonly superseded: boolean | undefined
}

/**
 * A database beside Redis, used carefully: it honours its signal, and does not overwrite a newer state with a
 * superseded one. `forgetful`: it stores, and then reports a failure.
 */
export class Store {
  weather: Weather = 'well'
  readonly values = new Map<string, readonly string[]>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  async write({ id, value, signal, superseded }: Write): Promise<void> {
    await this.#take()
    signal.throwIfAborted()
    if (this.weather === 'down') throw new Error('the database is down')
    if (superseded !== true) this.values.set(id, [...value])
    if (this.weather === 'forgetful') throw new Error('the database does not answer')
  }

  async read(id: string, signal: AbortSignal): Promise<string[] | undefined> {
    const value = this.values.get(id)
    // Sometimes long enough for another process to continue the conversation and store it.
    await this.#take([300])
    signal.throwIfAborted()
    return value === undefined ? undefined : [...value]
  }

  async #take(more: readonly number[] = []): Promise<void> {
    const ms = this.#random.pick([0, 0, 5, 20, 60, ...more])
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  }
}
