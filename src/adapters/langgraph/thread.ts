import { Buffer } from 'node:buffer'
import type { StoredText } from './stored-text.ts'
import type { TemplatedText } from './templated-text.ts'

/** The value of a thread's session: all that the saver knows of the thread. Plain data. */
export interface Thread {
  /** By checkpoint namespace: the graph itself has `''`, each of its subgraphs one of its own. */
  readonly namespaces: Map<string, Namespace>
  /** The idle timeout that the session had before the thread was paused; `undefined` while it is not. */
  timeoutBeforePauseMs: number | undefined
}

export interface Namespace {
  /** In the order in which they were put. */
  readonly checkpoints: Map<string, StoredCheckpoint>
  /** By checkpoint id. Not in the checkpoint: writes may come before the checkpoint that they belong to. */
  readonly writes: Map<string, StoredWrite[]>
  /** The checkpoint that was put last. Not the greatest id: ids follow a clock that may be set back. */
  newestId: string | undefined
}

export interface StoredCheckpoint {
  readonly parentId: string | undefined
  /** The checkpoint without its id and its channel values. */
  readonly head: TemplatedText
  readonly metadata: TemplatedText
  /** The value of every channel; one that has not changed is the parent's own object. */
  readonly channels: readonly StoredChannel[]
}

export interface StoredChannel extends StoredText {
  readonly name: string
  readonly version: string | number | undefined
}

/** Field by field: an object that is spread takes four times the memory. */
export function channelOf(
  { type, isBinary, chain, place, kept, pieces }: StoredText,
  name: string,
  version: string | number | undefined,
): StoredChannel {
  return { name, version, type, isBinary, chain, place, kept, pieces }
}

export interface StoredWrite {
  readonly taskId: string
  readonly taskPath: string
  readonly index: number
  readonly channel: string
  readonly value: StoredText
}

/** The value of a new thread: the `create` of a registry of threads. */
export function newThread(): Thread {
  return { namespaces: new Map(), timeoutBeforePauseMs: undefined }
}

export function namespaceOf(thread: Thread, name: string): Namespace {
  let namespace = thread.namespaces.get(name)
  if (namespace === undefined) {
    namespace = { checkpoints: new Map(), writes: new Map(), newestId: undefined }
    thread.namespaces.set(name, namespace)
  }
  return namespace
}

/** Adds a checkpoint as the newest. `keep`: how many of the newest are kept. */
export function addCheckpoint(
  namespace: Namespace,
  id: string,
  checkpoint: StoredCheckpoint,
  keep: number,
): void {
  // One that is put again moves to the end.
  namespace.checkpoints.delete(id)
  namespace.checkpoints.set(id, checkpoint)
  namespace.newestId = id
  for (const oldest of namespace.checkpoints.keys()) {
    if (namespace.checkpoints.size <= keep) break
    namespace.checkpoints.delete(oldest)
    namespace.writes.delete(oldest)
  }
}

/**
 * Adds a write to those of a checkpoint. One that is there already stays, so that a task which is repeated
 * stores nothing twice; those with a negative index (errors, interrupts, resumes) stand for the task's state
 * and are replaced.
 */
export function addWrite(namespace: Namespace, checkpointId: string, write: StoredWrite): void {
  const writes = namespace.writes.get(checkpointId)
  if (writes === undefined) {
    // Not an empty list that is pushed to: that takes room for seventeen.
    namespace.writes.set(checkpointId, [write])
    return
  }
  const before = writes.findIndex(({ taskId, index }) => taskId === write.taskId && index === write.index)
  if (before < 0) writes.push(write)
  else if (write.index < 0) writes[before] = write
}

/** The writes of a checkpoint, in the order in which the graph applies them. */
export function writesOf(namespace: Namespace, checkpointId: string): StoredWrite[] {
  return (namespace.writes.get(checkpointId) ?? []).toSorted(
    (a, b) => compare(a.taskPath, b.taskPath) || compare(a.taskId, b.taskId) || a.index - b.index,
  )
}

/** By code point, as LangGraph sorts everywhere; that is the order of UTF-8, not of UTF-16. */
function compare(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/**
 * How far back equal texts are looked for: a turn of an agent takes a few steps, and the next has the same.
 */
const maxAncestors = 6

/** The nearest ancestors of a checkpoint that is to be put, the parent first. */
export function* ancestors(
  { checkpoints }: Namespace,
  parentId: string | undefined,
): Generator<[id: string, checkpoint: StoredCheckpoint]> {
  let id = parentId
  for (let step = 0; step < maxAncestors && id !== undefined; step += 1) {
    const checkpoint = checkpoints.get(id)
    if (checkpoint === undefined) return
    yield [id, checkpoint]
    id = checkpoint.parentId
  }
}
