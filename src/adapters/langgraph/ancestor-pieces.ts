import { linksOf } from './delta-chain.ts'
import { detachString } from './detach-string.ts'
import type { StoredText } from './stored-text.ts'
import { ancestors, type Namespace, type StoredCheckpoint, type Thread } from './thread.ts'

/**
 * The pieces of text in the ancestors of a checkpoint, which a new value may share.
 *
 * An answer is in the writes of a step and in the list that the step makes of them; a question in the input
 * and in its writes; the text around them is alike in all messages. A subgraph begins with the messages of
 * its graph.
 */
export class AncestorPieces {
  readonly #namespace: Namespace
  /** Nearest first. Where a namespace begins, the newest checkpoint of the graph itself. */
  readonly #ancestors: readonly (readonly [id: string, checkpoint: StoredCheckpoint])[]
  #partial: Map<string, string> | undefined
  #all: Map<string, string> | undefined

  constructor(thread: Thread, namespace: Namespace, checkpointId: string | undefined) {
    const found = [...ancestors(namespace, checkpointId)]
    this.#namespace = namespace
    this.#ancestors = found.length > 0 ? found : newestOf(thread)
  }

  get ancestors(): readonly StoredCheckpoint[] {
    return this.#ancestors.map(([, checkpoint]) => checkpoint)
  }

  /** Returns the value of a channel in the parent, with which its new value may begin. */
  base(name: string): StoredText | undefined {
    return this.#ancestors[0]?.[1].channels.find((channel) => channel.name === name)
  }

  /** Returns a task's path: the string of an ancestor's write, if possible, to share it. */
  taskPath(path: string): string {
    for (const [id] of this.#ancestors) {
      const write = this.#namespace.writes.get(id)?.find(({ taskPath }) => taskPath === path)
      if (write !== undefined) return write.taskPath
    }
    return detachString(path)
  }

  /** Returns the pieces by themselves. `isWhole` adds those of the bases of the parent's values. */
  readonly find = (isWhole: boolean): ReadonlyMap<string, string> => {
    if (isWhole) {
      this.#all ??= this.#pieces(true)
      return this.#all
    }
    this.#partial ??= this.#pieces(false)
    return this.#partial
  }

  #pieces(withBases: boolean): Map<string, string> {
    const found = new Map<string, string>()
    const add = (stored: StoredText) => {
      for (const piece of stored.pieces) found.set(piece, piece)
    }
    for (const [id, { channels }] of this.#ancestors) {
      for (const { value } of this.#namespace.writes.get(id) ?? []) add(value)
      for (const channel of channels) add(channel)
    }
    if (!withBases) return found
    for (const channel of this.#ancestors[0]?.[1].channels ?? []) {
      for (const link of linksOf<StoredText>(channel)) add(link)
    }
    return found
  }
}

function newestOf(thread: Thread): (readonly [string, StoredCheckpoint])[] {
  const root = thread.namespaces.get('')
  if (root?.newestId === undefined) return []
  const newest = root.checkpoints.get(root.newestId)
  return newest === undefined ? [] : [[root.newestId, newest]]
}
