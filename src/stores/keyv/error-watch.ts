import { AsyncLocalStorage } from 'node:async_hooks'
import type { KeyvLike } from './keyv-like.ts'

/** The failures that one call of a Keyv has emitted. */
type Failures = unknown[]

/** What only version 6 has, which rejects where nobody listens to `error`. */
interface RejectingKeyv {
  readonly throwOnEmptyListeners?: boolean
  listenerCount?(event: string): number
}

const watches = new WeakMap<KeyvLike, ErrorWatch>()

/**
 * Finds out which call an `error` event of a Keyv belongs to.
 *
 * A Keyv emits many failures and answers as if there had been a miss, or a success. It emits in the async
 * context of the call.
 */
export class ErrorWatch {
  readonly #calls = new AsyncLocalStorage<Failures>()
  readonly #keyv: KeyvLike & RejectingKeyv

  constructor(keyv: KeyvLike) {
    this.#keyv = keyv
    keyv.on('error', (error) => this.#onError(error))
  }

  /** Returns the watch of this Keyv, which has one, however many stores use it. */
  static of(keyv: KeyvLike): ErrorWatch {
    const watch = watches.get(keyv) ?? new ErrorWatch(keyv)
    watches.set(keyv, watch)
    return watch
  }

  /** Makes a call, and rejects with what it emits, if it does. */
  async call<R>(call: () => PromiseLike<R>): Promise<R> {
    const failures: Failures = []
    const result = await this.#calls.run(failures, async () => call())
    if (failures.length > 0) throw failures[0]
    return result
  }

  #onError(error: unknown): void {
    const failures = this.#calls.getStore()
    if (failures !== undefined) {
      failures.push(error)
      return
    }
    // Version 6 rejects the application's own calls as long as nobody listens, and this listener must not
    // change that.
    const { throwOnEmptyListeners, listenerCount } = this.#keyv
    if (throwOnEmptyListeners === true && listenerCount?.call(this.#keyv, 'error') === 1) throw error
  }
}
