import { Buffer } from 'node:buffer'
import type { StoredText } from './stored-text.ts'
import type { TemplatedTexts } from './templated-text.ts'

/** The value of a thread's session, all data that the saver has of the thread. Plain data. */
export interface Thread {
  /** By checkpoint namespace: the graph itself has `''`, each subgraph its own. */
  readonly namespaces: Map<string, Namespace>
  /** The idle timeout that the session had before the thread was paused; `undefined` while it is not. */
  timeoutBeforePauseMs: number | undefined
}

export interface Namespace {
  /** In the order of their `put`. */
  readonly checkpoints: Map<string, StoredCheckpoint>
  /** By checkpoint id. Not in the checkpoint, since writes may come before it. */
  readonly writes: Map<string, StoredWrite[]>
  /** The id of the last `put`. Not the greatest id, since ids follow a clock that may be set back. */
  newestId: string | undefined
}

/** A checkpoint: the texts of its head and its metadata, and its channels. */
export interface StoredCheckpoint extends TemplatedTexts {
  readonly parentId: string | undefined
  /** The value of every channel; an unchanged one is the parent's object. */
  readonly channels: readonly StoredChannel[]
}

/** Returns a checkpoint. Field by field, since a spread object takes four times the memory. */
export function checkpointOf(
  { templates, filling }: TemplatedTexts,
  parentId: string | undefined,
  channels: readonly StoredChannel[],
): StoredCheckpoint {
  return { parentId, templates, filling, channels }
}

export interface StoredChannel extends StoredText {
  readonly name: string
  readonly version: string | number | undefined
}

/** Returns a channel. Field by field too. */
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

/** Adds a checkpoint as the newest, and drops all but the `keep` newest. */
export function addCheckpoint(
  namespace: Namespace,
  id: string,
  checkpoint: StoredCheckpoint,
  keep: number,
): void {
  // A checkpoint that is put again moves to the end.
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
 * Adds a write to those of a checkpoint. A present one stays, so that a repeated task stores nothing twice;
 * one with a negative index (error, interrupt, resume) is the state of the task and is replaced.
 */
export function addWrite(namespace: Namespace, checkpointId: string, write: StoredWrite): void {
  const writes = namespace.writes.get(checkpointId)
  // No push, which allocates room for 16 more.
  if (writes === undefined) {
    namespace.writes.set(checkpointId, [write])
    return
  }
  const before = writes.findIndex(({ taskId, index }) => taskId === write.taskId && index === write.index)
  if (before < 0) namespace.writes.set(checkpointId, writes.concat(write))
  else if (write.index < 0) writes[before] = write
}

/** Returns the writes of a checkpoint, in the order in which the graph applies them. */
export function writesOf(namespace: Namespace, checkpointId: string): StoredWrite[] {
  return (namespace.writes.get(checkpointId) ?? []).toSorted(
    (a, b) => compare(a.taskPath, b.taskPath) || compare(a.taskId, b.taskId) || a.index - b.index,
  )
}

/** Compares by code point, as LangGraph sorts: the order of UTF-8, not of UTF-16. */
function compare(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/**
 * The number of ancestors in which equal texts are searched: a turn of an agent takes a few steps, and the
 * next one has the same.
 */
const maxAncestors = 6

/** Iterates the nearest ancestors of a checkpoint, the parent first. */
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
