import { invalidOption } from '../../core/options/validate.ts'
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

const methods = ['getItem', 'setItem', 'removeItem'] as const

/**
 * A store in a storage of unstorage.
 *
 * It is as durable as the driver. It cannot compare revisions, so each session must be used by one process
 * only. A driver that cannot tell a failure from a miss is refused by name. The first write and every
 * deletion are read back, since drivers swallow failures. A driver whose reads may be stale
 * (`cloudflare-kv-*`) is not suitable for sessions. The storage remains the application's, which disposes of
 * it.
 *
 * A driver cannot be aborted. After its signal aborts, a write has one more second to settle; then the call
 * rejects, and later calls of the same session on this store wait until the write has settled.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const storage = createStorage({ driver: redisDriver({ url }) })
 * const sessions = new SessionRegistry<string[]>({ create: () => [], store: unstorageStore(storage) })
 */
export function unstorageStore(storage: UnstorageLike): SessionStore {
  const given: Partial<Record<string, unknown>> = Object(storage)
  for (const method of methods) {
    if (typeof given[method] !== 'function') throw invalidOption('storage', 'a storage of unstorage', storage)
  }
  return new UnstorageStore(storage)
}

/** The store of `unstorageStore`. */
class UnstorageStore implements SessionStore {
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
    // A driver can be mounted at any time, so it is checked at each read.
    checkDrivers(this.#storage, key)
    return unframeSession(await this.#storage.getItem(key), id)
  }

  async #write(session: StoredSession): Promise<void> {
    await this.#storage.setItem(hashText(session.id), frameSession(session))
    if (this.#keepsWrites) return
    // A read-only storage fulfils and writes nothing.
    if ((await this.#read(session.id))?.revision !== session.revision) {
      throw new Error('The storage did not store the session: it is read-only, or its reads are stale')
    }
    this.#keepsWrites = true
  }

  async #remove(id: string, signal: AbortSignal, replaces: string | undefined): Promise<void> {
    if (replaces !== undefined && (await this.#read(id))?.revision !== replaces) return
    signal.throwIfAborted()
    await this.#storage.removeItem(hashText(id))
    // Some drivers swallow the failure of a removal.
    if ((await this.#read(id)) !== undefined) {
      throw new Error('The storage did not delete the session, or its reads are stale')
    }
  }
}
