import type { CheckedCodec } from '../../core/codec/codec.ts'
import { storeFailedError } from '../../core/errors/store-errors.ts'
import type { CheckedStore } from '../../core/storing/checked-store.ts'
import { digestOf } from '../../core/storing/digest.ts'
import { isKept, readStored } from '../../core/storing/read-stored.ts'
import type { SerialCalls } from '../../core/storing/serial-calls.ts'
import type { FullClock } from '../../core/time/clock.ts'
import type { FoundSession } from '../load-source.ts'
import { StoreEntry } from './store-entry.ts'

export interface ReaderHost<T> {
  readonly clock: FullClock
  readonly store: CheckedStore
  readonly codec: CheckedCodec<T>
  readonly calls: SerialCalls
  readonly keepMs: number
  readonly maxAgeMs: number
}

/** Reads sessions from the store. */
export class SessionReader<T> {
  readonly #host: ReaderHost<T>

  constructor(host: ReaderHost<T>) {
    this.#host = host
  }

  /**
   * Returns the session of an id. One that has reached its absolute timeout is deleted, and is absent like
   * one that was not active for `keepMs`.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED` where the store cannot tell, and with `ERR_SESSION_VALUE_INVALID`
   * where the codec cannot decode the text.
   */
  async read(id: string, { signal }: { readonly signal: AbortSignal }): Promise<FoundSession<T>> {
    const { calls, store, codec, clock, keepMs, maxAgeMs } = this.#host
    const session = await calls
      .call(id, signal, () => readStored(store, id, { signal, now: clock.date(), maxAgeMs }))
      .catch((cause) => {
        throw storeFailedError('read the session', cause)
      })
    if (session === undefined) return { found: undefined, stored: new StoreEntry(undefined, null) }
    const { text, revision, lastActiveAt } = session
    if (isKept(session, keepMs, clock.date()))
      return { found: { value: codec.decode(text) }, stored: StoreEntry.of(session, digestOf(text)) }
    const stored = new StoreEntry(undefined, revision)
    stored.lastActiveAt = lastActiveAt
    return { found: undefined, stored }
  }
}
