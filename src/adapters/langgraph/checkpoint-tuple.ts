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
import type { Serializer } from './serializer.ts'
import { readTemplated } from './templated-text.ts'
import { type Namespace, type StoredCheckpoint, writesOf } from './thread.ts'

type Metadata = CheckpointMetadata & Readonly<Record<string, unknown>>

export async function unpackMetadata(
  serializer: Serializer,
  namespace: Namespace,
  id: string,
): Promise<Metadata | undefined> {
  const stored = namespace.checkpoints.get(id)
  return stored === undefined ? undefined : serializer.unpack<Metadata>(readTemplated(stored)[1])
}

/** Returns the checkpoint of this id in LangGraph's shape, with its pending writes. */
export async function readTuple(
  saver: BaseCheckpointSaver,
  serializer: Serializer,
  threadId: string,
  name: string,
  namespace: Namespace,
  id: string,
): Promise<CheckpointTuple | undefined> {
  const stored = namespace.checkpoints.get(id)
  if (stored === undefined) return undefined
  const [head, packedMetadata] = readTemplated(stored)
  const [checkpoint, metadata, pendingWrites] = await Promise.all([
    serializer.unpack<Checkpoint>(head),
    serializer.unpack<CheckpointMetadata>(packedMetadata),
    Promise.all(
      writesOf(namespace, id).map(
        async ({ taskId, channel, value }): Promise<CheckpointPendingWrite> => [
          taskId,
          channel,
          await serializer.read(value),
        ],
      ),
    ),
  ])
  checkpoint.id = id
  await addValues(saver, serializer, checkpoint, namespace, stored)
  const tuple = { config: address(threadId, name, id), checkpoint, metadata, pendingWrites }
  return stored.parentId === undefined
    ? tuple
    : { ...tuple, parentConfig: address(threadId, name, stored.parentId) }
}

async function addValues(
  saver: BaseCheckpointSaver,
  serializer: Serializer,
  checkpoint: Checkpoint,
  namespace: Namespace,
  { channels, parentId }: StoredCheckpoint,
): Promise<void> {
  const values = await Promise.all(
    channels.map(async (channel) => [channel.name, await serializer.read(channel)] as const),
  )
  checkpoint.channel_values = Object.fromEntries(values)
  if (checkpoint.v < 4 && parentId !== undefined)
    await addPendingSends(saver, serializer, checkpoint, namespace, parentId)
}

/** Adds the sends of a checkpoint before version 4, which are among the writes of its parent. */
async function addPendingSends(
  saver: BaseCheckpointSaver,
  serializer: Serializer,
  checkpoint: Checkpoint,
  namespace: Namespace,
  parentId: string,
): Promise<void> {
  const sends = writesOf(namespace, parentId).filter(({ channel }) => channel === TASKS)
  const versions = Object.values(checkpoint.channel_versions)
  checkpoint.channel_values[TASKS] = await Promise.all(sends.map(({ value }) => serializer.read(value)))
  checkpoint.channel_versions[TASKS] =
    versions.length > 0 ? maxChannelVersion(...versions) : saver.getNextVersion(undefined)
}
