import { baseOf, linksOf } from './delta-chain.ts'
import type { StoredText } from './stored-text.ts'
import { fillingsOf, type Template } from './templated-text.ts'
import type { Namespace, StoredChannel, StoredCheckpoint, StoredWrite, Thread } from './thread.ts'
import {
  type CheckpointRow,
  formatVersion,
  type NamespaceRow,
  type StoredRow,
  type TemplatedRow,
  type ThreadText,
  type WriteRow,
  type WritesRow,
} from './thread-text.ts'

/** Returns a thread as rows that contain each text and each stored value once. */
export function writeThread(thread: Thread): ThreadText {
  return new Writer().thread(thread)
}

class Writer {
  readonly #texts: string[] = []
  readonly #textIndexes = new Map<string, number>()
  readonly #stored: StoredRow[] = []
  readonly #storedIndexes = new Map<StoredText, number>()

  thread({ namespaces, timeoutBeforePauseMs }: Thread): ThreadText {
    const rows = Array.from(namespaces, ([name, namespace]) => this.#namespace(name, namespace))
    return {
      version: formatVersion,
      texts: this.#texts,
      stored: this.#stored,
      namespaces: rows,
      timeoutBeforePause: timeoutBeforePauseMs === undefined ? null : String(timeoutBeforePauseMs),
    }
  }

  #namespace(name: string, { checkpoints, writes }: Namespace): NamespaceRow {
    const indexes = new Map<string, number>()
    for (const id of checkpoints.keys()) indexes.set(id, indexes.size)
    return [
      name,
      Array.from(checkpoints, ([id, one]) => this.#checkpoint(id, one, indexes)),
      Array.from(
        writes,
        ([id, ones]): WritesRow => [indexes.get(id) ?? id, ones.map((one) => this.#write(one))],
      ),
    ]
  }

  #checkpoint(id: string, one: StoredCheckpoint, indexes: ReadonlyMap<string, number>): CheckpointRow {
    const { parentId, channels } = one
    const [head, metadata] = one.templates
    const [headFilling, metadataFilling] = fillingsOf(one)
    return [
      id,
      parentId === undefined ? null : (indexes.get(parentId) ?? parentId),
      this.#templated(head, headFilling),
      this.#templated(metadata, metadataFilling),
      channels.map((channel) => this.#store(channel)),
    ]
  }

  #templated({ type, isBinary, text, marks }: Template, filling: readonly string[]): TemplatedRow {
    return [this.#text(type), Number(isBinary), this.#text(text), marks === 0 ? null : filling.join()]
  }

  #write({ taskId, taskPath, index, channel, value }: StoredWrite): WriteRow {
    return [this.#text(taskId), this.#text(taskPath), index, this.#text(channel), this.#store(value)]
  }

  /** Writes a value after its bases. Returns its index. */
  #store(stored: StoredText): number {
    const unwritten: StoredText[] = []
    for (const one of linksOf(stored)) {
      if (this.#storedIndexes.has(one)) break
      unwritten.push(one)
    }
    for (const one of unwritten.reverse()) this.#storedIndexes.set(one, this.#stored.push(this.#row(one)) - 1)
    return this.#storedIndexes.get(stored) ?? 0
  }

  #row(stored: StoredText): StoredRow {
    const { type, isBinary, kept, pieces } = stored
    const base = baseOf(stored)
    // A channel has a name and a version; a value that was written has neither.
    const { name, version } = stored as Partial<StoredChannel>
    const row: StoredRow = [
      this.#text(type),
      Number(isBinary),
      base === undefined ? null : (this.#storedIndexes.get(base) ?? null),
      kept,
      pieces.map((piece) => this.#text(piece)),
    ]
    return name === undefined
      ? row
      : [row[0], row[1], row[2], row[3], row[4], this.#text(name), version ?? null]
  }

  #text(text: string): number {
    let index = this.#textIndexes.get(text)
    if (index === undefined) {
      index = this.#texts.push(text) - 1
      this.#textIndexes.set(text, index)
    }
    return index
  }
}
