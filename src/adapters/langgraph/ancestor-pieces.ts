import { TASKS } from '@langchain/langgraph-checkpoint'
import { linksOf } from './delta-chain.ts'
import { detachString } from './detach-string.ts'
import { type StoredText, textLengthOf } from './stored-text.ts'
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

  /**
   * Returns the value with which a new value of a channel may begin: that in the parent. That of tasks is the
   * last one that has any: a task of an agent's tool contains the state of the graph, with all messages.
   */
  base(name: string): StoredText | undefined {
    const values = this.ancestors.map(({ channels }) => channels.find((channel) => channel.name === name))
    return name === TASKS ? values.find((value) => value !== undefined && hasTasks(value)) : values[0]
  }

  /** Returns the value with which a write to a channel may begin: of a task, the last one. */
  baseOfWrite(name: string): StoredText | undefined {
    if (name !== TASKS) return this.base(name)
    for (const [id] of this.#ancestors) {
      const write = this.#namespace.writes.get(id)?.findLast(({ channel }) => channel === TASKS)
      if (write !== undefined) return write.value
    }
    return undefined
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

/** Whether a list of tasks is not empty. */
function hasTasks(tasks: StoredText): boolean {
  return textLengthOf(tasks) > '[]'.length
}

function newestOf(thread: Thread): (readonly [string, StoredCheckpoint])[] {
  const root = thread.namespaces.get('')
  if (root?.newestId === undefined) return []
  const newest = root.checkpoints.get(root.newestId)
  return newest === undefined ? [] : [[root.newestId, newest]]
}
