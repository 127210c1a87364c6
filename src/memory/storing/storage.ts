import type { HookHost } from '../../core/async/hook-call.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ArchiveReason } from '../../core/end-reason.ts'
import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { storeFailedError } from '../../core/errors/store-errors.ts'
import { closedError } from '../../core/errors/turn-errors.ts'
import type { ResolvedStoreOptions, SaveMode } from '../../core/options/store-options.ts'
import type { CheckedStore } from '../../core/storing/checked-store.ts'
import { closeStore } from '../../core/storing/close-store.ts'
import { Pruner } from '../../core/storing/pruner.ts'
import { SerialCalls } from '../../core/storing/serial-calls.ts'
import type { ArchiveHook } from '../archiving/archive-hook.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { FoundSession, LoadSource } from '../load-source.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { Deletions, type DeletionsOptions } from './deletions.ts'
import { Refresher } from './refresher.ts'
import { Saver } from './saver.ts'
import { SessionReader } from './session-reader.ts'
import { SessionWriter } from './session-writer.ts'

export interface StorageOptions extends DeletionsOptions {
  readonly timeoutMs: number
  readonly maxAgeMs: number
}

/**
 * The store of a registry, and what this process knows of it.
 *
 * ```
 *   read    open, run ─▶ SessionReader ─▶ StoreEntry, kept with the session
 *   write   a turn ends, `save` ─▶ Saver: three tries ──┐
 *           the session ends ─▶ Archiver: its attempts ─┴▶ SessionWriter ─▶ compares by the StoreEntry
 *   delete  `delete`, `clear`, `forget` ─▶ Deletions: until done
 *   prune   background sweep ─▶ Pruner
 * ```
 *
 * All calls of one id pass through {@link SerialCalls}: a call that timed out may still have its effect, so
 * the next one waits until it has settled.
 */
export class Storage<T> {
  readonly saver: Saver<T>
  readonly deletions: Deletions
  readonly pruner: Pruner
  readonly save: SaveMode
  readonly #store: CheckedStore
  readonly #reader: SessionReader<T>
  readonly #writer: SessionWriter<T>
  readonly #lifecycle: Lifecycle<T>
  #isClosed = false

  constructor(
    components: {
      readonly owner: object
      readonly lifecycle: Lifecycle<T>
      readonly pending: PendingWork
    },
    { store, codec, save, keepMs }: ResolvedStoreOptions<T>,
    options: StorageOptions,
  ) {
    const { owner, lifecycle, pending } = components
    const { step, clock } = lifecycle
    const { timeoutMs, maxAgeMs, archiveTimeoutMs } = options
    const host: HookHost = { owner, step, clock, pending }
    const calls = new SerialCalls()
    this.save = save
    this.#store = store
    this.#lifecycle = lifecycle
    this.deletions = new Deletions(host, store, calls, options)
    const { deletions } = this
    this.#reader = new SessionReader({ clock, store, codec, calls, keepMs, maxAgeMs })
    this.#writer = new SessionWriter({ lifecycle, store, codec, calls, deletions, keepMs, timeoutMs })
    this.saver = new Saver(host, lifecycle, this.#writer, archiveTimeoutMs)
    const { archiveConcurrency } = options
    const refresher = new Refresher(lifecycle, this.saver, { archiveConcurrency, keepMs })
    const pruning = { keepMs, timeoutMs: archiveTimeoutMs }
    this.pruner = new Pruner(host, store, pruning, () => refresher.refresh())
  }

  /** Whether the store is closed, or about to be: nothing is deleted any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether the store can find the sessions of an owner. */
  get canFindOwned(): boolean {
    return this.#store.canFindOwned
  }

  /** Rejects with `ERR_SESSION_STORE_FAILED`. */
  async idsOwned(owner: string): Promise<readonly string[]> {
    try {
      return await this.#store.owned(owner)
    } catch (cause) {
      throw storeFailedError('find the sessions of an owner', cause)
    }
  }

  /** The writes of sessions that are ending. */
  get archiveHook(): ArchiveHook<T> {
    return {
      archive: (record, reason, { signal }) => this.#archive(record, reason, signal),
      keeps: (reason) => reason !== 'age',
      isConflict: (error) => isSessionRegistryError(error, 'ERR_SESSION_STORE_CONFLICT'),
    }
  }

  /** The reads of sessions that are not in memory. */
  get loadSource(): LoadSource<T> {
    return {
      load: (id, context) => this.#reader.read(id, context),
      tellsOwner: false,
      read: (result) => result as FoundSession<T>,
    }
  }

  /**
   * Writes a session that is ending, if it has changed. One that reached its absolute timeout is deleted: it
   * would read as absent.
   */
  async #archive(record: SessionRecord<T>, reason: ArchiveReason, signal: AbortSignal): Promise<void> {
    if (reason === 'age') return this.#writer.delete(record, signal)
    const snapshot = this.#writer.takeSnapshot(record)
    if (snapshot !== undefined) await this.#writer.write(record, snapshot, signal)
  }

  /** Closes the store, within a time. A failure is an `error`; the promise fulfils in any case. */
  close(limitMs: number): Promise<void> {
    this.#isClosed = true
    this.saver.abortAll(closedError())
    return closeStore(this.#store, this.#lifecycle, limitMs)
  }
}
