import {
  type BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  maxChannelVersion,
  TASKS,
} from '@langchain/langgraph-checkpoint'
import { address } from './address.ts'
import { unpack } from './packed.ts'
import { readStored } from './stored-text.ts'
import { readTemplated } from './templated-text.ts'
import { type Namespace, type StoredCheckpoint, writesOf } from './thread.ts'

type Metadata = CheckpointMetadata & Readonly<Record<string, unknown>>

export async function unpackMetadata(
  { serde }: BaseCheckpointSaver,
  namespace: Namespace,
  id: string,
): Promise<Metadata | undefined> {
  const stored = namespace.checkpoints.get(id)
  return stored === undefined ? undefined : unpack<Metadata>(serde, readTemplated(stored.metadata))
}

/** Returns the checkpoint of this id in LangGraph's shape, with its pending writes. */
export async function readTuple(
  saver: BaseCheckpointSaver,
  threadId: string,
  name: string,
  namespace: Namespace,
  id: string,
): Promise<CheckpointTuple | undefined> {
  const stored = namespace.checkpoints.get(id)
  if (stored === undefined) return undefined
  const { serde } = saver
  const [checkpoint, metadata, pendingWrites] = await Promise.all([
    unpackCheckpoint(saver, namespace, id, stored),
    unpack<CheckpointMetadata>(serde, readTemplated(stored.metadata)),
    Promise.all(
      writesOf(namespace, id).map(
        async ({ taskId, channel, value }): Promise<CheckpointPendingWrite> => [
          taskId,
          channel,
          await unpack<unknown>(serde, readStored(value)),
        ],
      ),
    ),
  ])
  const tuple = { config: address(threadId, name, id), checkpoint, metadata, pendingWrites }
  return stored.parentId === undefined
    ? tuple
    : { ...tuple, parentConfig: address(threadId, name, stored.parentId) }
}

async function unpackCheckpoint(
  saver: BaseCheckpointSaver,
  namespace: Namespace,
  id: string,
  { head, channels, parentId }: StoredCheckpoint,
): Promise<Checkpoint> {
  const { serde } = saver
  const checkpoint = await unpack<Checkpoint>(serde, readTemplated(head))
  const values = await Promise.all(
    channels.map(
      async (channel) => [channel.name, await unpack<unknown>(serde, readStored(channel))] as const,
    ),
  )
  checkpoint.id = id
  checkpoint.channel_values = Object.fromEntries(values)
  if (checkpoint.v < 4 && parentId !== undefined)
    await addPendingSends(saver, checkpoint, namespace, parentId)
  return checkpoint
}

/** Adds the sends of a checkpoint before version 4, which are among the writes of its parent. */
async function addPendingSends(
  saver: BaseCheckpointSaver,
  checkpoint: Checkpoint,
  namespace: Namespace,
  parentId: string,
): Promise<void> {
  const sends = writesOf(namespace, parentId).filter(({ channel }) => channel === TASKS)
  const versions = Object.values(checkpoint.channel_versions)
  checkpoint.channel_values[TASKS] = await Promise.all(
    sends.map(({ value }) => unpack<unknown>(saver.serde, readStored(value))),
  )
  checkpoint.channel_versions[TASKS] =
    versions.length > 0 ? maxChannelVersion(...versions) : saver.getNextVersion(undefined)
}
