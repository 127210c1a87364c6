import { AsyncLocalStorage } from 'node:async_hooks'
import type { KeyvLike } from './keyv-like.ts'

/** The errors that a Keyv emitted during one call. */
type Failures = unknown[]

/** Members of version 6, which rejects if `error` has no listener. */
interface RejectingKeyv {
  readonly throwOnEmptyListeners?: boolean
  listenerCount?(event: string): number
}

const watches = new WeakMap<KeyvLike, ErrorWatch>()

/**
 * A listener that assigns the `error` events of a Keyv to the calls that caused them.
 *
 * A Keyv emits many failures and then returns as after a miss or a success. It emits in the async context of
 * the call.
 */
export class ErrorWatch {
  readonly #calls = new AsyncLocalStorage<Failures>()
  readonly #keyv: KeyvLike & RejectingKeyv

  constructor(keyv: KeyvLike) {
    this.#keyv = keyv
    keyv.on('error', (error) => this.#onError(error))
  }

  /** Returns the one watch of a Keyv, shared by all stores that use it. */
  static of(keyv: KeyvLike): ErrorWatch {
    const watch = watches.get(keyv) ?? new ErrorWatch(keyv)
    watches.set(keyv, watch)
    return watch
  }

  /** Calls the Keyv, and rejects with the first error that it emits. */
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
    // Version 6 rejects the application's own calls while there is no listener, and this one must not change
    // that.
    const { throwOnEmptyListeners, listenerCount } = this.#keyv
    if (throwOnEmptyListeners === true && listenerCount?.call(this.#keyv, 'error') === 1) throw error
  }
}
