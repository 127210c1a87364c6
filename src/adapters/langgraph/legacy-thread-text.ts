import { Buffer } from 'node:buffer'
import { type Packed, packedFrom } from './packed.ts'
import { store } from './store-text.ts'
import type { StoredText } from './stored-text.ts'
import { toTemplated } from './templated-text.ts'
import {
  channelOf,
  checkpointOf,
  namespaceOf,
  newThread,
  type StoredChannel,
  type StoredCheckpoint,
  type Thread,
} from './thread.ts'
import { entryAt, integerOf, listOf, recordOf, stringOf, timeoutOf, versionOf } from './untrusted.ts'

/**
 * Returns the thread of a parsed text of version 0.1, where each value is whole: a thread that waits for an
 * approval may be that old.
 *
 * @throws TypeError for any other text
 */
export function readLegacyThread(text: unknown): Thread {
  const { pieces, thread: rest } = recordOf(text)
  const { namespaces, timeoutBeforePauseMs } = recordOf(rest)
  const reader = new LegacyReader(listOf(pieces).map(stringOf))
  const thread = newThread()
  for (const [name, namespace] of entriesOf(namespaces)) reader.readNamespace(thread, name, namespace)
  thread.timeoutBeforePauseMs = timeoutOf(timeoutBeforePauseMs)
  return thread
}

class LegacyReader {
  readonly #pieces: readonly string[]
  readonly #channels = new Map<string, StoredChannel>()

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces
  }

  readNamespace(thread: Thread, name: string, row: unknown): void {
    const { checkpoints, writes } = recordOf(row)
    const namespace = namespaceOf(thread, name)
    for (const [id, one] of entriesOf(checkpoints)) {
      const { parentId } = recordOf(one)
      const parent = typeof parentId === 'string' ? namespace.checkpoints.get(parentId) : undefined
      namespace.checkpoints.set(id, this.#checkpoint(recordOf(one), parent))
      namespace.newestId = id
    }
    for (const [id, ones] of entriesOf(writes)) {
      namespace.writes.set(
        id,
        entriesOf(ones).map(([, one]) => this.#write(recordOf(one))),
      )
    }
  }

  #checkpoint(
    { parentId, head, metadata, channels }: Readonly<Record<string, unknown>>,
    parent: StoredCheckpoint | undefined,
  ): StoredCheckpoint {
    return checkpointOf(
      toTemplated([this.#packed(head), this.#packed(metadata)], parent === undefined ? [] : [parent]),
      parentId === undefined ? undefined : stringOf(parentId),
      entriesOf(channels).map(([name, one]) => this.#channel(name, recordOf(one), parent)),
    )
  }

  #channel(
    name: string,
    row: Readonly<Record<string, unknown>>,
    parent: StoredCheckpoint | undefined,
  ): StoredChannel {
    const { version: given, bytes } = row
    const version = versionOf(given)
    const key = JSON.stringify([name, version, bytes])
    const before = this.#channels.get(key)
    if (before !== undefined) return before
    const base = parent?.channels.find((channel) => channel.name === name)
    const channel = channelOf(this.#stored(row, base), name, version)
    this.#channels.set(key, channel)
    return channel
  }

  #write({ taskId, taskPath, index, channel, value }: Readonly<Record<string, unknown>>) {
    return {
      taskId: stringOf(taskId),
      taskPath: stringOf(taskPath),
      index: integerOf(index),
      channel: stringOf(channel),
      value: this.#stored(value),
    }
  }

  #stored(row: unknown, base?: StoredText): StoredText {
    return store(this.#packed(row), base, () => new Map())
  }

  #packed(row: unknown): Packed {
    const { type, bytes } = recordOf(row)
    const { piece } = recordOf(bytes)
    return packedFrom(stringOf(type), Buffer.from(entryAt(this.#pieces, piece), 'base64'))
  }
}

/** Returns the entries of a map in the text. */
function entriesOf(row: unknown): [key: string, value: unknown][] {
  const { map } = recordOf(row)
  return listOf(map).map((pair) => {
    const [key, value] = listOf(pair)
    return [stringOf(key), value]
  })
}
