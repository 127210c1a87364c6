import { randomUUID } from 'node:crypto'
import type { CheckedCodec } from '../../core/codec/codec.ts'
import { storeConflictError, storeRuleError } from '../../core/errors/store-errors.ts'
import type { StoredSession } from '../../core/store.ts'
import type { CheckedStore } from '../../core/storing/checked-store.ts'
import { digestOf } from '../../core/storing/digest.ts'
import type { SerialCalls } from '../../core/storing/serial-calls.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { Deletions } from './deletions.ts'
import { type StoredContent, StoreEntry } from './store-entry.ts'

/** The state of a session that is to be written. */
export interface Snapshot extends StoredContent {
  /** Its place among the snapshots of the session. */
  readonly number: number
  readonly text: string
  readonly lastActiveAt: number
}

export interface WriterHost<T> {
  readonly lifecycle: Lifecycle<T>
  readonly store: CheckedStore
  readonly codec: CheckedCodec<T>
  readonly calls: SerialCalls
  readonly deletions: Deletions
  readonly keepMs: number
  /** The registry's idle timeout, in milliseconds: a session has one of its own if it has another. */
  readonly timeoutMs: number
}

/**
 * Most calls of `put` in one write: a revision of this process's own may be found once or twice, not more.
 */
const maxPuts = 4

/** Writes sessions to the store, and deletes those that reached their absolute timeout. */
export class SessionWriter<T> {
  readonly #host: WriterHost<T>

  constructor(host: WriterHost<T>) {
    this.#host = host
  }

  /**
   * Returns the session as it is to be written; `undefined` if the store has it already.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
   */
  takeSnapshot(record: SessionRecord<T>): Snapshot | undefined {
    const { lifecycle, codec } = this.#host
    const entry = this.entryOf(record)
    const text = codec.encode(record.value)
    const lastActiveAt = lifecycle.lastActiveAtOf(record)
    const content = { digest: digestOf(text), timeoutMs: this.#ownTimeoutOf(record), owner: record.owner }
    if (entry.has(content) && this.#isRecent(entry, lastActiveAt)) return undefined
    return { ...content, number: entry.number(), text, lastActiveAt }
  }

  /**
   * Writes a session, once. Rejects with `ERR_SESSION_STORE_CONFLICT` if the store has another state of it
   * than this process has seen; with the error of the store if that failed.
   */
  async write(record: SessionRecord<T>, snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const { calls, deletions } = this.#host
    const { id } = record
    // What is being deleted is older.
    if (deletions.has(id)) await deletions.whenDeleted(id, { tries: 1 })
    signal.throwIfAborted()
    await calls.call(id, signal, () => this.#write(record, snapshot, signal))
  }

  /** Deletes a session from the store, unless it was written elsewhere since this process last saw it. */
  async delete(record: SessionRecord<T>, signal: AbortSignal): Promise<void> {
    const { calls, store } = this.#host
    const { id } = record
    await calls.call(id, signal, async () => {
      const replaces = await this.#ownRevision(this.entryOf(record), id, signal)
      if (replaces !== null)
        await store.delete(id, { signal, ...(replaces === undefined ? {} : { replaces }) })
    })
  }

  /** Returns the entry of a session. One that has none yet was set, and overwrites what is stored. */
  entryOf(record: SessionRecord<T>): StoreEntry {
    record.stored ??= new StoreEntry(undefined, undefined)
    record.stored.createdAt ??= this.#host.lifecycle.viewOf(record).createdAt
    return record.stored
  }

  async #write(record: SessionRecord<T>, snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const { store } = this.#host
    const { id } = record
    const entry = this.entryOf(record)
    const { number, lastActiveAt } = snapshot
    // While this one waited, or in the pause between two tries, a later one may have been written.
    if (entry.isOvertaken(number)) return
    if (entry.isWritten(snapshot) && this.#isRecent(entry, lastActiveAt)) {
      entry.onWritten(number)
      return
    }
    const session = this.#storedSession(id, entry, snapshot)
    for (let puts = 0; puts < maxPuts; puts += 1) {
      if (await store.put(session, { signal, replaces: entry.revision })) {
        entry.acknowledge(lastActiveAt)
        entry.onWritten(number)
        return
      }
      if (!(await this.#isStillOwn(entry, id, signal))) break
    }
    throw storeConflictError()
  }

  /**
   * Reports whether what the store has is this process's own after all: written by a call whose outcome was
   * unknown, or pruned. The entry then has the revision that is there.
   */
  async #isStillOwn(entry: StoreEntry, id: string, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#host
    if (entry.revision === undefined)
      throw storeRuleError('put', '`true` where nothing is compared', '`false`')
    const found = await store.get(id, { signal })
    if (found !== undefined) {
      if (!entry.isOwn(found.revision)) return false
      entry.revision = found.revision
      return true
    }
    if (entry.revision !== null && !this.#mayBePruned(entry)) return false
    entry.revision = null
    return true
  }

  /** Returns the revision of what this process has written; `null` where the store has nothing of its own. */
  async #ownRevision(entry: StoreEntry, id: string, signal: AbortSignal): Promise<string | null | undefined> {
    if (!entry.isUncertain || entry.revision === undefined) return entry.revision
    const found = await this.#host.store.get(id, { signal })
    return found !== undefined && entry.isOwn(found.revision) ? found.revision : null
  }

  #storedSession(id: string, entry: StoreEntry, snapshot: Snapshot): StoredSession {
    const { text, lastActiveAt, timeoutMs, owner } = snapshot
    const revision = entry.begin(snapshot, randomUUID)
    const createdAt = entry.createdAt ?? lastActiveAt
    return {
      id,
      text,
      revision,
      createdAt,
      lastActiveAt,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(owner === undefined ? {} : { owner }),
    }
  }

  #ownTimeoutOf({ timeoutMs }: SessionRecord<T>): number | undefined {
    return timeoutMs === this.#host.timeoutMs ? undefined : timeoutMs
  }

  /** Whether the time of activity that the store has is recent enough: the session is not pruned by it. */
  #isRecent(entry: StoreEntry, lastActiveAt: number): boolean {
    return lastActiveAt - entry.lastActiveAt < this.#host.keepMs / 4
  }

  #mayBePruned(entry: StoreEntry): boolean {
    return this.#host.lifecycle.clock.date() - entry.lastActiveAt >= this.#host.keepMs
  }
}
