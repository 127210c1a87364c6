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
import { checkDrivers } from './refused-drivers.ts'
import type { UnstorageLike } from './unstorage-like.ts'

/** The store of `unstorageStore`. */
export class UnstorageStore implements SessionStore {
  readonly #storage: UnstorageLike
  readonly #calls = new KeyedCalls()
  #keepsWrites = false

  constructor(storage: UnstorageLike) {
    checkDrivers(storage, hashText(''))
    this.#storage = storage
  }

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    return this.#calls.read(hashText(id), signal, () => this.#read(id))
  }

  async put(session: StoredSession, { signal }: PutContext): Promise<boolean> {
    checkStorable(session)
    await this.#calls.write(hashText(session.id), signal, () => this.#write(session))
    return true
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    await this.#calls.write(hashText(id), signal, () => this.#remove(id, signal, replaces))
  }

  async #read(id: string): Promise<StoredSession | undefined> {
    const key = hashText(id)
    // A storage can be mounted at any time, so the driver is looked at each time.
    checkDrivers(this.#storage, key)
    return unframeSession(await this.#storage.getItem(key), id)
  }

  async #write(session: StoredSession): Promise<void> {
    await this.#storage.setItem(hashText(session.id), frameSession(session))
    if (this.#keepsWrites) return
    // A storage that is read-only fulfils and writes nothing.
    if ((await this.#read(session.id))?.revision !== session.revision) {
      throw new Error('The storage did not keep what was written: it is read-only, or its reads are stale')
    }
    this.#keepsWrites = true
  }

  async #remove(id: string, signal: AbortSignal, replaces: string | undefined): Promise<void> {
    if (replaces !== undefined && (await this.#read(id))?.revision !== replaces) return
    signal.throwIfAborted()
    await this.#storage.removeItem(hashText(id))
    // Some drivers swallow the failure of a removal.
    if ((await this.#read(id)) !== undefined) {
      throw new Error('The storage did not remove what was to be deleted, or its reads are stale')
    }
  }
}
