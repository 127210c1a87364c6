import { isThenable } from '../../core/async/is-thenable.ts'
import { systemClock } from '../../core/time/clock.ts'

/**
 * A read that may fail or hang: then there is no result. While one hangs, no other begins.
 */
export class BoundedRead<V> {
  readonly #call: () => V | undefined | Promise<V | undefined>
  readonly #patienceMs: number
  #pending: Promise<V | undefined> | undefined = undefined

  /** `patienceMs`: the longest wait for a result, in milliseconds. */
  constructor(call: () => V | undefined | Promise<V | undefined>, patienceMs: number) {
    this.#call = call
    this.#patienceMs = patienceMs
  }

  async read(): Promise<V | undefined> {
    if (this.#pending !== undefined) return this.#within(this.#pending)
    try {
      const result = this.#call()
      if (!isThenable(result)) return result
      this.#pending = Promise.resolve(result)
        .catch(() => undefined)
        .finally(() => {
          this.#pending = undefined
        })
      return await this.#within(this.#pending)
    } catch {
      return undefined
    }
  }

  /** Awaits a promise that does not reject, no longer than the patience lasts. */
  async #within(promise: Promise<V | undefined>): Promise<V | undefined> {
    let timer: unknown
    const tooLate = new Promise<undefined>((resolve) => {
      timer = systemClock.setTimeout(() => resolve(undefined), this.#patienceMs)
    })
    try {
      return await Promise.race([promise, tooLate])
    } finally {
      systemClock.clearTimeout(timer)
    }
  }
}
