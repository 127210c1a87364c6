import type { HookHost } from '../../core/async/hook-call.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { Save, type SaveOutcome } from '../../core/storing/save.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { SessionWriter, Snapshot } from './session-writer.ts'

/** Saves of live sessions: after a turn, and by `save`. A failed one is tried three times in all. */
export class Saver<T> {
  readonly #host: HookHost
  readonly #lifecycle: Lifecycle<T>
  readonly #writer: SessionWriter<T>
  readonly #timeoutMs: number
  /** The saves of each session that are under way. */
  readonly #saves = new Map<SessionRecord<T>, Set<Save>>()

  constructor(host: HookHost, lifecycle: Lifecycle<T>, writer: SessionWriter<T>, timeoutMs: number) {
    this.#host = host
    this.#lifecycle = lifecycle
    this.#writer = writer
    this.#timeoutMs = timeoutMs
  }

  /**
   * Writes a session if it has changed. `onDone` is called at once where there is nothing to write; with
   * `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_STORE_FAILED` or `ERR_SESSION_STORE_CONFLICT` if it was not
   * written.
   */
  save(record: SessionRecord<T>, onDone: SaveOutcome): void {
    let snapshot: Snapshot | undefined
    try {
      snapshot = this.#writer.takeSnapshot(record)
    } catch (error) {
      onDone(error)
      return
    }
    if (snapshot === undefined) onDone()
    else this.#write(record, snapshot, onDone)
  }

  /** Aborts the saves of a session that has ended. */
  abort(record: SessionRecord<T>, error: SessionRegistryError): void {
    for (const save of this.#saves.get(record) ?? []) save.abort(error)
  }

  /** Aborts all saves: the store is about to be closed. */
  abortAll(error: SessionRegistryError): void {
    for (const record of this.#saves.keys()) this.abort(record, error)
  }

  #write(record: SessionRecord<T>, snapshot: Snapshot, onDone: SaveOutcome): void {
    const saves = this.#saves.get(record) ?? new Set<Save>()
    this.#saves.set(record, saves)
    const write = (signal: AbortSignal) => this.#writer.write(record, snapshot, signal)
    const incarnationOf = () => this.#lifecycle.viewOf(record).incarnation
    const init = { id: record.id, incarnationOf, write, timeoutMs: this.#timeoutMs }
    const save = new Save(this.#host, init, (error) => {
      saves.delete(save)
      if (saves.size === 0) this.#saves.delete(record)
      onDone(error)
    })
    saves.add(save)
    save.start()
  }
}
