import type { ChannelVersions, Checkpoint, SerializerProtocol } from '@langchain/langgraph-checkpoint'
import { pack } from './packed.ts'
import type { StoredChannel, StoredCheckpoint } from './thread.ts'

type Channels = ReadonlyMap<string, StoredChannel>

/** The channels of which the graph says that they have changed. */
export function packChanged(
  serde: SerializerProtocol,
  checkpoint: Checkpoint,
  newVersions: ChannelVersions,
): Promise<Channels> {
  const names = Object.keys(checkpoint.channel_values).filter((name) => Object.hasOwn(newVersions, name))
  return packChannels(serde, checkpoint, names)
}

/**
 * All channels of a checkpoint: the changed ones, and the parent's own for the others.
 *
 * Shared is only with the one parent, and only at the same version. Two forks of a thread count their versions alike
 * while their values differ; a store that is keyed by channel and version would mix them.
 */
export async function packRest(
  serde: SerializerProtocol,
  checkpoint: Checkpoint,
  changed: Channels,
  parent: StoredCheckpoint | undefined,
  isWhole: boolean,
): Promise<Channels> {
  const channels = new Map(changed)
  const unknown: string[] = []
  for (const name of Object.keys(checkpoint.channel_values)) {
    if (channels.has(name)) continue
    const shared = parent?.channels.get(name)
    if (shared !== undefined && shared.version === checkpoint.channel_versions[name])
      channels.set(name, shared)
    else if (isWhole) unknown.push(name)
  }
  for (const [name, channel] of await packChannels(serde, checkpoint, unknown)) channels.set(name, channel)
  return channels
}

async function packChannels(
  serde: SerializerProtocol,
  { channel_values, channel_versions }: Checkpoint,
  names: readonly string[],
): Promise<Channels> {
  const entries = names.map(async (name) => {
    const { type, bytes } = await pack(serde, channel_values[name])
    return [name, { type, bytes, version: channel_versions[name] }] as const
  })
  return new Map(await Promise.all(entries))
}
