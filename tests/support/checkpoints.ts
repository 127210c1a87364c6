import { type BaseCheckpointSaver, type Checkpoint, emptyCheckpoint } from '@langchain/langgraph-checkpoint'

/** A checkpoint of these channels, all at one version. */
export function checkpointOf(id: string, values: Record<string, unknown>, version = 1): Checkpoint {
  return {
    ...emptyCheckpoint(),
    id,
    channel_values: values,
    channel_versions: Object.fromEntries(Object.keys(values).map((channel) => [channel, version])),
  }
}

/** Puts a checkpoint that has changed those of its channels which `changed` names. */
export function putOf(
  saver: BaseCheckpointSaver,
  config: {
    readonly thread_id: string | number | bigint
    readonly checkpoint_id?: string
    readonly checkpoint_ns?: string
  },
  checkpoint: Checkpoint,
  changed: readonly string[] = Object.keys(checkpoint.channel_values),
) {
  const versions = Object.fromEntries(
    changed.map((channel) => [channel, checkpoint.channel_versions[channel] ?? 1]),
  )
  return saver.put({ configurable: config }, checkpoint, { source: 'loop', step: 0, parents: {} }, versions)
}
