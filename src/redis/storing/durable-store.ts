import { randomUUID } from 'node:crypto'
import type { TimerHost } from '../../core/async/contained-timer.ts'
import { isStorableText } from '../../core/codec/codec.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import { invalidValue } from '../../core/errors/invalid-value.ts'
import { storeFailedError, storeRuleError } from '../../core/errors/store-errors.ts'
import type { ResolvedStoreOptions } from '../../core/options/store-options.ts'
import type { StoredSession } from '../../core/store.ts'
import { closeStore } from '../../core/storing/close-store.ts'
import { isKept, readStored } from '../../core/storing/read-stored.ts'
import { SerialCalls } from '../../core/storing/serial-calls.ts'
import { pause } from '../pause.ts'
import type { ServerDate } from '../storage/server-date.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { SavedState, StoredState } from './stored-state.ts'

export interface DurableStoreOptions {
  readonly timeoutMs: number
  readonly maxAgeMs: number
}

/** An incarnation that ends. */
export interface EndingSession {
  readonly snapshot: SessionSnapshot
  /** What Redis keeps of it for the store. */
  readonly storedState: StoredState
  /** Whether a younger incarnation was archived before it, or the id was deleted. */
  readonly isSuperseded: boolean
}

/**
 * The store of the user, for sessions that are not in Redis.
 *
 * ```
 *   read    open, run ─▶ loading/loader.ts ─▶ read
 *   write   an expired session ─▶ archiving/archiver.ts ─▶ archive;  `save` ─▶ saves.ts ─▶ write
 *   delete  `delete`, `clear`, `forget` ─▶ a deletion in the backlog ─▶ archiving/archiver.ts ─▶ delete
 *   prune   a claim ─▶ Pruner
 * ```
 *
 * Redis decides which of these may run: claims, and leases of writes. So a write compares no revision. Within
 * this process, a call of an id begins when the one before has settled, though its signal has aborted.
 */
export class DurableStore<T> {
  readonly #storage: ResolvedStoreOptions<T>
  readonly #date: ServerDate
  readonly #options: DurableStoreOptions
  readonly #calls = new SerialCalls()

  constructor(storage: ResolvedStoreOptions<T>, date: ServerDate, options: DurableStoreOptions) {
    this.#storage = storage
    this.#date = date
    this.#options = options
  }

  /**
   * Fulfils when the last call of an id has settled, or the time has passed: a call that was aborted may
   * still have its effect.
   */
  async whenSettled(id: string, limitMs: number): Promise<void> {
    if (!this.#calls.has(id)) return
    const limit = pause(limitMs, { keepsAlive: false })
    await Promise.race([this.#calls.whenSettled(id), limit.elapsed])
    limit.finish()
  }

  /**
   * Returns the session of an id. One that has reached its absolute timeout is deleted, and is absent like
   * one that was not active for `keepMs`.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED` where the store cannot tell, and with `ERR_SESSION_VALUE_INVALID`
   * where the codec cannot decode the text.
   */
  async read(id: string, { signal }: { readonly signal: AbortSignal }): Promise<StoredSession | undefined> {
    const { store, codec, keepMs } = this.#storage
    const { maxAgeMs } = this.#options
    const stored = await this.#calls
      .call(id, signal, () => readStored(store, id, { signal, now: this.#date.now(), maxAgeMs }))
      .catch((cause) => {
        throw storeFailedError('read the session', cause)
      })
    if (stored === undefined || !isKept(stored, keepMs, this.#date.now())) return undefined
    const { text } = stored
    if (!isStorableText(text)) throw invalidValue('text', 'well-formed text without U+0000', text)
    codec.decode(text)
    return stored
  }

  /**
   * Writes a session that has expired, if it has changed since it was read or saved. One that has reached its
   * absolute timeout is deleted: it would read as absent. A superseded one is neither written nor deleted.
   * Rejects with the error of the store.
   */
  async archive(ending: EndingSession, reason: ExpiryReason, signal: AbortSignal): Promise<void> {
    if (ending.isSuperseded) return
    const { snapshot, storedState } = ending
    if (reason === 'age') await this.delete(snapshot.id, signal)
    else if (!this.#isSaved(snapshot, storedState.saved)) await this.write(snapshot, storedState, signal)
  }

  /** Writes a session, whatever the store has of it. Rejects with the error of the store. */
  async write(snapshot: SessionSnapshot, state: StoredState, signal: AbortSignal): Promise<void> {
    const { id, text, owner, lastActiveAt } = snapshot
    const { createdAt = snapshot.createdAt } = state
    const timeoutMs = this.ownTimeoutOf(snapshot)
    const session: StoredSession = {
      id,
      text,
      revision: randomUUID(),
      createdAt,
      lastActiveAt,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(owner === undefined ? {} : { owner }),
    }
    await this.#calls.call(id, signal, async () => {
      if (await this.#storage.store.put(session, { signal, replaces: undefined })) return
      throw storeRuleError('put', '`true` where nothing is compared', '`false`')
    })
  }

  /** Deletes whatever the store has of an id. Rejects with the error of the store. */
  async delete(id: string, signal: AbortSignal): Promise<void> {
    await this.#calls.call(id, signal, () => this.#storage.store.delete(id, { signal }))
  }

  /** Returns the idle timeout of a session if it has one of its own. */
  ownTimeoutOf({ timeoutMs }: SessionSnapshot): number | undefined {
    return timeoutMs === this.#options.timeoutMs ? undefined : timeoutMs
  }

  /** Closes the store, within a time. A failure is an `error`; the promise fulfils in any case. */
  close(host: TimerHost, limitMs: number): Promise<void> {
    return closeStore(this.#storage.store, host, limitMs)
  }

  /** Whether the store has this state, with a time of activity that is recent enough not to be pruned. */
  #isSaved(snapshot: SessionSnapshot, saved: SavedState | undefined): boolean {
    if (saved?.version !== snapshot.version || saved.owner !== snapshot.owner) return false
    if ((saved.timeoutMs ?? this.#options.timeoutMs) !== snapshot.timeoutMs) return false
    return snapshot.lastActiveAt - saved.lastActiveAt < this.#storage.keepMs / 4
  }
}
