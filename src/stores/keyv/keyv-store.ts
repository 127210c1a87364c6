import type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from '../../core/store.ts'
import { KeyedCalls } from '../../core/storing/keyed-calls.ts'
import { frameSession, unframeSession } from '../../core/storing/session-frame.ts'
import { checkStorable } from '../../core/storing/storable.ts'
import { hashText } from '../../core/storing/text-hash.ts'
import { ErrorWatch } from './error-watch.ts'
import type { KeyvLike } from './keyv-like.ts'

/**
 * No time to live, even where the Keyv has one of its own: how long a session lasts is the registry's to say.
 */
const noTtl = 0

/** The store of `keyvStore`. */
export class KeyvStore implements SessionStore {
  readonly #keyv: KeyvLike
  readonly #errors: ErrorWatch
  readonly #calls = new KeyedCalls()

  constructor(keyv: KeyvLike) {
    this.#keyv = keyv
    this.#errors = ErrorWatch.of(keyv)
  }

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    return this.#calls.read(hashText(id), signal, () => this.#read(id))
  }

  async put(session: StoredSession, { signal }: PutContext): Promise<boolean> {
    checkStorable(session)
    const key = hashText(session.id)
    await this.#calls.write(key, signal, async () => {
      const isKept = await this.#errors.call(() => this.#keyv.set(key, frameSession(session), noTtl))
      if (isKept !== true) throw new Error('Keyv did not keep what was written, and does not say why')
    })
    return true
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    await this.#calls.write(hashText(id), signal, async () => {
      if (replaces !== undefined && (await this.#read(id))?.revision !== replaces) return
      signal.throwIfAborted()
      const isDeleted = await this.#errors.call(() => this.#keyv.delete(hashText(id)))
      // `false` is what a Keyv answers for a failure, and for a key that was not there.
      if (isDeleted !== true && (await this.#read(id)) !== undefined) {
        throw new Error('Keyv did not delete what was to be deleted, and does not say why')
      }
    })
  }

  async #read(id: string): Promise<StoredSession | undefined> {
    // Not `get`, which answers a failure with `undefined` since version 5.4.
    const found = await this.#errors.call(() => this.#keyv.getRaw(hashText(id)))
    if (found === undefined || found === null) return undefined
    // An entry without a value is there all the same, and is nothing that was written here.
    return unframeSession((found as { readonly value?: unknown }).value ?? '', id)
  }
}
