/**
 * The parsed text of a thread, as `threadCodec` writes it: rows without keys, where a number is an index into
 * one of the lists before.
 *
 * A text without a `version` has the format of 0.1, which `legacy-thread-text.ts` reads.
 */
export interface ThreadText {
  readonly version: typeof formatVersion
  /** Each text once: pieces, templates, types, names, task ids. */
  readonly texts: readonly string[]
  /** Each stored value once, after its base. */
  readonly stored: readonly StoredRow[]
  readonly namespaces: readonly NamespaceRow[]
  /** As text, since it may be infinite. */
  readonly timeoutBeforePause: string | null
}

export const formatVersion = 2

export type StoredRow = readonly [
  type: number,
  isBinary: number,
  base: number | null,
  kept: number,
  pieces: readonly number[],
  /** Of a channel. */
  name?: number,
  version?: string | number | null,
]

export type NamespaceRow = readonly [
  name: string,
  checkpoints: readonly CheckpointRow[],
  writes: readonly WritesRow[],
]

/**
 * A row of a checkpoint. Its parent, and the checkpoint of writes, is an index in the list of checkpoints, or
 * an id that is not in it.
 */
export type CheckpointRow = readonly [
  id: string,
  parent: number | string | null,
  head: TemplatedRow,
  metadata: TemplatedRow,
  channels: readonly number[],
]

export type TemplatedRow = readonly [type: number, isBinary: number, template: number, filling: string | null]

export type WritesRow = readonly [checkpoint: number | string, writes: readonly WriteRow[]]

export type WriteRow = readonly [
  taskId: number,
  taskPath: number,
  index: number,
  channel: number,
  value: number,
]
