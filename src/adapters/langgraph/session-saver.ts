import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
  type SerializerProtocol,
  WRITES_IDX_MAP,
} from '@langchain/langgraph-checkpoint'
import { toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import {
  checkFunction,
  checkLimit,
  checkObject,
  checkOptions,
  checkPositive,
  invalidOption,
  ownFields,
} from '../../core/options/validate.ts'
import type { Session } from '../../core/session.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { deleteStored } from '../../core/storing/delete-stored.ts'
import { defaultPausedTimeoutMs } from '../../core/time/paused-timeout.ts'
import { address, addressOf, configurableOf, threadIdOf } from './address.ts'
import { AncestorPieces } from './ancestor-pieces.ts'
import { checkPut, checkPutWrites, isResume, nothingToResume } from './check-write.ts'
import { readTuple, unpackMetadata } from './checkpoint-tuple.ts'
import { PackedList } from './list-elements.ts'
import { updatePause } from './pause.ts'
import { Serializer } from './serializer.ts'
import { store } from './store-text.ts'
import { packChanged, packChannels, storeChannels, unchangedChannels } from './stored-channels.ts'
import { toTemplated } from './templated-text.ts'
import { addCheckpoint, addWrite, checkpointOf, namespaceOf, type Thread } from './thread.ts'

/** Options of a {@link SessionSaver}. */
export interface SessionSaverOptions {
  /** The registry of the threads, with `create: newThread`. */
  readonly source: SessionSource<Thread>
  /**
   * The idle timeout of a thread that waits for an answer to an `interrupt`, until it goes on.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit. Age, capacity and `delete` still end it.
   *
   * @defaultValue 604_800_000 (7 days)
   */
  readonly pausedTimeoutMs?: number | undefined
  /**
   * The number of newest checkpoints that are kept in each namespace. Older ones can be neither read nor
   * resumed from.
   *
   * Not for a graph with a `DeltaChannel`, whose value is the sum of all checkpoints since its last snapshot.
   *
   * An integer of at least 1, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly keepCheckpoints?: number | undefined
  /**
   * The serializer of values.
   *
   * @defaultValue LangGraph's `JsonPlusSerializer`
   */
  readonly serde?: SerializerProtocol | undefined
}

/**
 * A checkpoint saver whose threads are sessions: an idle thread expires, at a cost that does not depend on
 * the number of threads.
 *
 * It stores the channels that have changed and shares the others with the parent checkpoint; a list that has
 * only grown shares what it has with its parent. Outside of a turn each write is a short turn of its own;
 * inside `run` of the thread it joins that turn. Reads wait for no turn, are activity and create nothing; the
 * iteration of `list` without a `thread_id` is not activity.
 *
 * @example
 * const threads = new SessionRegistry<Thread>({ create: newThread })
 * const agent = createAgent({ model, tools, checkpointer: new SessionSaver({ source: threads }) })
 * await threads.run(id, () => agent.invoke({ messages }, { configurable: { thread_id: id } }))
 */
export class SessionSaver extends BaseCheckpointSaver {
  readonly #source: SessionSource<Thread>
  readonly #pausedTimeoutMs: number
  readonly #keepCheckpoints: number
  readonly #serializer: Serializer

  /** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
  constructor(options: SessionSaverOptions) {
    const {
      source,
      pausedTimeoutMs = defaultPausedTimeoutMs,
      keepCheckpoints = Number.POSITIVE_INFINITY,
      serde,
    } = checkOptions('options', options, ['source', 'pausedTimeoutMs', 'keepCheckpoints', 'serde'])
    super(serde === undefined ? undefined : checkSerde(serde))
    this.#serializer = new Serializer(this.serde, serde === undefined)
    this.#source = assertSource(source as SessionSource<Thread>)
    this.#pausedTimeoutMs = checkPositive('pausedTimeoutMs', pausedTimeoutMs)
    this.#keepCheckpoints = checkLimit('keepCheckpoints', keepCheckpoints)
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { thread_id } = configurableOf(config)
    if (thread_id === undefined) return undefined
    const { threadId, name, checkpointId } = addressOf(config)
    const namespace = (await this.#read(threadId))?.namespaces.get(name)
    const id = checkpointId ?? namespace?.newestId
    return namespace === undefined || id === undefined
      ? undefined
      : readTuple(this, this.#serializer, threadId, name, namespace, id)
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    const { thread_id, checkpoint_ns, checkpoint_id } = configurableOf(config)
    // As in LangGraph's own savers, `null` means no options.
    const { before: last, filter: expected, limit } = ownFields(checkObject('options', options ?? {}))
    const { checkpoint_id: before } = ownFields(last?.configurable ?? {})
    const filter = Object.entries(expected ?? {})
    let rest = limit ?? Number.POSITIVE_INFINITY
    for await (const [threadId, thread] of this.#threads(thread_id)) {
      for (const [name, namespace] of thread.namespaces) {
        if ((checkpoint_ns ?? name) !== name) continue
        for (const id of [...namespace.checkpoints.keys()].sort().reverse()) {
          if (rest <= 0) return
          if (checkpoint_id && id !== checkpoint_id) continue
          if (before && id >= before) continue
          if (filter.length > 0) {
            const metadata = await unpackMetadata(this.#serializer, namespace, id)
            if (filter.some(([key, value]) => metadata?.[key] !== value)) continue
          }
          const tuple = await readTuple(this, this.#serializer, threadId, name, namespace, id)
          if (tuple === undefined) continue
          rest -= 1
          yield tuple
        }
      }
    }
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { threadId, name, checkpointId: parentId } = addressOf(config)
    checkPut(checkpoint, metadata, newVersions)
    const { id, channel_values: _values, ...rest } = checkpoint
    // Everything that is known to be new is packed at once, before it waits for other turns: the graph goes
    // on with these objects.
    const [head, packedMetadata, changed] = await Promise.all([
      this.#serializer.pack('the checkpoint', rest),
      this.#serializer.pack('the metadata', metadata),
      packChanged(this.#serializer, checkpoint, newVersions),
    ])
    await this.#source.run(threadId, async (session) => {
      const thread = session.value
      const parent =
        parentId === undefined ? undefined : thread.namespaces.get(name)?.checkpoints.get(parentId)
      const { shared, unknown } = unchangedChannels(checkpoint, changed, parent)
      // A first checkpoint has all its channels in `newVersions`; a fork, or one without its parent, must
      // store all.
      const isWhole = parentId !== undefined || metadata.source === 'fork'
      const others = await packChannels(this.#serializer, checkpoint, isWhole ? unknown : [])
      // No `await` from here on: what joins this turn sees the whole checkpoint or nothing of it.
      const namespace = namespaceOf(thread, name)
      const ancestorPieces = new AncestorPieces(thread, namespace, parentId)
      const stored = checkpointOf(
        toTemplated([head, packedMetadata], ancestorPieces.ancestors),
        // The string that is the parent's key, if possible, to share it.
        namespace.newestId === parentId ? namespace.newestId : parentId,
        // Not spread into an array, which would have room for more.
        shared.concat(storeChannels(new Map([...changed, ...others]), checkpoint, ancestorPieces)),
      )
      addCheckpoint(namespace, id, stored, this.#keepCheckpoints)
      updatePause(session, this.#pausedTimeoutMs)
    })
    return address(threadId, name, id)
  }

  override async putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath = '',
  ): Promise<void> {
    const { threadId, name, checkpointId } = addressOf(config)
    if (checkpointId === undefined) {
      throw invalidOption('config.configurable.checkpoint_id', 'a non-empty string', checkpointId)
    }
    checkPutWrites(writes, taskId, taskPath)
    const packed = await Promise.all(
      writes.map(async ([channel, value], position) => {
        const index = Object.hasOwn(WRITES_IDX_MAP, channel)
          ? (WRITES_IDX_MAP[channel] ?? position)
          : position
        return { index, channel, value: await this.#serializer.pack(`the write to \`${channel}\``, value) }
      }),
    )
    const resumes = isResume(taskId, writes)
    const add = (session: Session<Thread>) => {
      if (resumes && session.value.namespaces.get(name)?.checkpoints.has(checkpointId) !== true) {
        throw nothingToResume()
      }
      const namespace = namespaceOf(session.value, name)
      const ancestorPieces = new AncestorPieces(session.value, namespace, checkpointId)
      const sharedPath = ancestorPieces.taskPath(taskPath)
      for (const { index, channel, value } of packed) {
        // A subgraph returns the whole list that it was passed, and its own messages.
        const stored = store(value, ancestorPieces.baseOfWrite(channel), ancestorPieces.find)
        if (value instanceof PackedList) value.rememberIn(stored)
        addWrite(namespace, checkpointId, { taskId, taskPath: sharedPath, index, channel, value: stored })
      }
      updatePause(session, this.#pausedTimeoutMs)
      return true
    }
    const added = await this.#source.run(threadId, add, resumes ? { create: false } : {})
    if (added === undefined) throw nothingToResume()
  }

  /**
   * Ends the thread's session at once: `delete` of the registry. Waits until the registry's store has deleted
   * it; `ERR_SESSION_STORE_FAILED` if that takes more than 3 seconds, and the deletion goes on then.
   */
  override async deleteThread(threadId: string): Promise<void> {
    await deleteStored(this.#source, toSessionId(threadId))
  }

  #read(threadId: string): Promise<Thread | undefined> {
    return this.#source.run(threadId, ({ value }) => value, { whenBusy: 'join', create: false })
  }

  /** Iterates the thread of this id, or all live ones. */
  async *#threads(threadId: string | undefined): AsyncGenerator<[id: string, thread: Thread]> {
    if (threadId !== undefined) {
      const id = threadIdOf(threadId)
      const thread = await this.#read(id)
      if (thread !== undefined) yield [id, thread]
      return
    }
    for await (const id of this.#source.keys()) {
      // Not `run`: a list of all threads must not keep them alive.
      const session = await this.#source.peek(id)
      if (session !== undefined) yield [id, session.value]
    }
  }
}

function checkSerde(serde: SerializerProtocol): SerializerProtocol {
  checkFunction('serde.dumpsTyped', checkObject('serde', serde).dumpsTyped)
  checkFunction('serde.loadsTyped', serde.loadsTyped)
  return serde
}
