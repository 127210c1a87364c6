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
import { ErrorWatch } from './error-watch.ts'
import type { KeyvLike } from './keyv-like.ts'

/** No time to live, even if the Keyv has a default: the registry decides when a session expires. */
const noTtl = 0

const methods = ['getRaw', 'set', 'delete', 'on'] as const

/**
 * A store in a Keyv, of version 5.5 or newer, or 6.
 *
 * It is as durable as the Keyv's own store. It cannot compare revisions, so each session must be used by one
 * process only. Sessions are written without a time to live. The store listens to `error` and rejects with
 * failures that Keyv would swallow; the application's own calls behave as before. The Keyv remains the
 * application's, which disconnects it.
 *
 * A Keyv cannot be aborted. After its signal aborts, a write has one more second to settle; then the call
 * rejects, and later calls of the same session on this store wait until the write has settled.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: an object without `getRaw` (Keyv before 5.5), or
 *   a Keyv with `emitErrors: false`, which hides failures of its store
 *
 * @example
 * const store = keyvStore(new Keyv(new KeyvRedis(url)))
 * const sessions = new SessionRegistry<string[]>({ create: () => [], store })
 */
export function keyvStore(keyv: KeyvLike): SessionStore {
  const given: Partial<Record<string, unknown>> = Object(keyv)
  for (const method of methods) {
    if (typeof given[method] !== 'function') {
      throw invalidOption('keyv', 'a Keyv of version 5.5 or newer', keyv)
    }
  }
  if ((given as { opts?: { emitErrors?: unknown } }).opts?.emitErrors === false) {
    throw invalidOption('keyv', 'a Keyv that emits errors (`emitErrors`)', keyv)
  }
  return new KeyvStore(keyv)
}

/** The store of `keyvStore`. */
class KeyvStore implements SessionStore {
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
      if (isKept !== true) throw new Error('Keyv did not store the session, and reported no reason')
    })
    return true
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    await this.#calls.write(hashText(id), signal, async () => {
      if (replaces !== undefined && (await this.#read(id))?.revision !== replaces) return
      signal.throwIfAborted()
      const isDeleted = await this.#errors.call(() => this.#keyv.delete(hashText(id)))
      // A Keyv returns `false` for a failure and for a missing key.
      if (isDeleted !== true && (await this.#read(id)) !== undefined) {
        throw new Error('Keyv did not delete the session, and reported no reason')
      }
    })
  }

  async #read(id: string): Promise<StoredSession | undefined> {
    // Not `get`, which returns `undefined` for a failure since version 5.4.
    const found = await this.#errors.call(() => this.#keyv.getRaw(hashText(id)))
    if (found === undefined || found === null) return undefined
    // An entry without a value is not a miss, and was not written by this store.
    return unframeSession((found as { readonly value?: unknown }).value ?? '', id)
  }
}
