import { Buffer } from 'node:buffer'
import type { Packed } from './packed.ts'

/** The value of a thread's session: all that the saver knows of the thread. Plain data. */
export interface Thread {
  /** By checkpoint namespace: the graph itself has `''`, each of its subgraphs one of its own. */
  readonly namespaces: Map<string, Namespace>
  /** The idle timeout that the session had before the thread was paused; `undefined` while it is not. */
  timeoutBeforePauseMs: number | undefined
}

export interface Namespace {
  readonly checkpoints: Map<string, StoredCheckpoint>
  /** By checkpoint id. Not in the checkpoint: writes may come before the checkpoint that they belong to. */
  readonly writes: Map<string, Map<string, StoredWrite>>
  /** The greatest id: ids are in order of time. */
  newestId: string | undefined
}

export interface StoredCheckpoint {
  readonly parentId: string | undefined
  /** The checkpoint without its channel values. */
  readonly head: Packed
  readonly metadata: Packed
  /** The value of every channel; one that has not changed is the parent's own object. */
  readonly channels: ReadonlyMap<string, StoredChannel>
}

export interface StoredChannel extends Packed {
  readonly version: string | number | undefined
}

export interface StoredWrite {
  readonly taskId: string
  readonly taskPath: string
  readonly index: number
  readonly channel: string
  readonly value: Packed
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

export function addCheckpoint(namespace: Namespace, id: string, checkpoint: StoredCheckpoint): void {
  namespace.checkpoints.set(id, checkpoint)
  if (namespace.newestId === undefined || id > namespace.newestId) namespace.newestId = id
}

/**
 * Adds a write to those of a checkpoint. One that is there already stays, so that a task which is repeated stores nothing
 * twice; those with a negative index (errors, interrupts, resumes) stand for the task's state and are replaced.
 */
export function addWrite(namespace: Namespace, checkpointId: string, write: StoredWrite): void {
  let writes = namespace.writes.get(checkpointId)
  if (writes === undefined) {
    writes = new Map()
    namespace.writes.set(checkpointId, writes)
  }
  const key = `${write.taskId},${write.index}`
  if (write.index < 0 || !writes.has(key)) writes.set(key, write)
}

/** The writes of a checkpoint, in the order in which the graph applies them. */
export function writesOf(namespace: Namespace, checkpointId: string): StoredWrite[] {
  const writes = namespace.writes.get(checkpointId)
  if (writes === undefined) return []
  return [...writes.values()].sort(
    (a, b) => compare(a.taskPath, b.taskPath) || compare(a.taskId, b.taskId) || a.index - b.index,
  )
}

/** By code point, as LangGraph sorts everywhere; that is the order of UTF-8, not of UTF-16. */
function compare(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
