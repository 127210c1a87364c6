/**
 * The text of a thread, once it is parsed: rows without keys, in which numbers are places in the lists before
 * them.
 *
 * What `threadCodec` writes. Before there was a `version` it was another format, which
 * `legacy-thread-text.ts` reads.
 */
export interface ThreadText {
  readonly version: typeof formatVersion
  /** Each text once: pieces, templates, types, names, task ids. */
  readonly texts: readonly string[]
  /** Each stored value once, after its base. */
  readonly stored: readonly StoredRow[]
  readonly namespaces: readonly NamespaceRow[]
  /** As text: it may be infinite. */
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
 * The parent and the owner of writes are places in the list of checkpoints, or the ids of ones that are not
 * in it.
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
