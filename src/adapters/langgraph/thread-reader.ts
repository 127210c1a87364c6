import { placeAfter } from './delta-chain.ts'
import type { StoredText } from './stored-text.ts'
import { marksIn, type OfHeadAndMetadata, type Template, type TemplatedTexts } from './templated-text.ts'
import {
  channelOf,
  checkpointOf,
  namespaceOf,
  newThread,
  type StoredChannel,
  type StoredCheckpoint,
  type StoredWrite,
  type Thread,
} from './thread.ts'
import { entryAt, integerOf, listOf, recordOf, stringOf, timeoutOf, versionOf } from './untrusted.ts'

/**
 * Returns the thread of a parsed text.
 *
 * @throws TypeError where it is not a text that `writeThread` returns
 */
export function readThread(text: unknown): Thread {
  const { texts, stored, namespaces, timeoutBeforePause } = recordOf(text)
  const thread = newThread()
  const reader = new Reader(listOf(texts).map(stringOf))
  for (const row of listOf(stored)) reader.readStored(listOf(row))
  for (const row of listOf(namespaces)) reader.readNamespace(thread, listOf(row))
  thread.timeoutBeforePauseMs = timeoutOf(timeoutBeforePause)
  return thread
}

class Reader {
  readonly #texts: readonly string[]
  readonly #stored: (StoredText | StoredChannel)[] = []
  readonly #templates = new Map<string, OfHeadAndMetadata<Template>>()

  constructor(texts: readonly string[]) {
    this.#texts = texts
  }

  /** Reads a value. Its base comes before it, so a chain cannot be a cycle. */
  readStored([type, isBinary, base, kept, pieces, name, version]: readonly unknown[]): void {
    const { chain, place } = placeAfter(base === null ? undefined : entryAt(this.#stored, base))
    const stored: StoredText = {
      type: this.#text(type),
      isBinary: isBinary === 1,
      chain,
      place,
      kept: integerOf(kept),
      pieces: listOf(pieces).map((piece) => this.#text(piece)),
    }
    this.#stored.push(name === undefined ? stored : channelOf(stored, this.#text(name), versionOf(version)))
  }

  readNamespace(thread: Thread, [name, checkpoints, writes]: readonly unknown[]): void {
    const namespace = namespaceOf(thread, stringOf(name))
    const rows = listOf(checkpoints).map(listOf)
    const ids = rows.map(([id]) => stringOf(id))
    const idOf = (index: unknown) => (typeof index === 'string' ? index : entryAt(ids, index))
    for (const row of rows) {
      namespace.newestId = stringOf(row[0])
      namespace.checkpoints.set(namespace.newestId, this.#checkpoint(row, idOf))
    }
    for (const [checkpoint, ones] of listOf(writes).map(listOf)) {
      namespace.writes.set(
        idOf(checkpoint),
        listOf(ones).map((one) => this.#write(listOf(one))),
      )
    }
  }

  #checkpoint(
    [, parent, head, metadata, channels]: readonly unknown[],
    idOf: (index: unknown) => string,
  ): StoredCheckpoint {
    return checkpointOf(
      this.#templated(listOf(head), listOf(metadata)),
      parent === null ? undefined : idOf(parent),
      listOf(channels).map((channel) => checkChannel(entryAt(this.#stored, channel))),
    )
  }

  /** Reads a head and metadata. Equal templates are the same objects. */
  #templated(head: readonly unknown[], metadata: readonly unknown[]): TemplatedTexts {
    const key = JSON.stringify([withoutFilling(head), withoutFilling(metadata)])
    const templates = this.#templates.get(key) ?? [this.#template(head), this.#template(metadata)]
    this.#templates.set(key, templates)
    const filling = [head, metadata].flatMap((row, index) => fillingIn(row, templates[index]?.marks ?? 0))
    return { templates, filling: filling.join() }
  }

  #template([type, isBinary, template, filling]: readonly unknown[]): Template {
    const text = this.#text(template)
    const marks = filling === null ? 0 : marksIn(text)
    return { type: this.#text(type), isBinary: isBinary === 1, text, marks }
  }

  #write([taskId, taskPath, index, channel, value]: readonly unknown[]): StoredWrite {
    return {
      taskId: this.#text(taskId),
      taskPath: this.#text(taskPath),
      index: integerOf(index),
      channel: this.#text(channel),
      value: entryAt(this.#stored, value),
    }
  }

  #text(index: unknown): string {
    return entryAt(this.#texts, index)
  }
}

/** Returns what a template depends on: a row without a filling is a whole text. */
function withoutFilling([type, isBinary, template, filling]: readonly unknown[]): unknown[] {
  return [type, isBinary, template, filling === null]
}

function fillingIn([, , , filling]: readonly unknown[], marks: number): string[] {
  if (marks === 0) return []
  const parts = stringOf(filling).split(',')
  if (parts.length === marks) return parts
  throw new TypeError('Expected a filling of the template')
}

function checkChannel(stored: StoredText | StoredChannel): StoredChannel {
  if ('name' in stored) return stored
  throw new TypeError('Expected a channel')
}
