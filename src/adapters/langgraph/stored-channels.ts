import type { ChannelVersions, Checkpoint } from '@langchain/langgraph-checkpoint'
import type { AncestorPieces } from './ancestor-pieces.ts'
import { PackedList } from './list-elements.ts'
import type { Packed } from './packed.ts'
import type { Serializer } from './serializer.ts'
import { store } from './store-text.ts'
import { channelOf, type StoredChannel, type StoredCheckpoint } from './thread.ts'

type PackedChannels = ReadonlyMap<string, Packed>

/** Returns the channels that the graph has changed. */
export function packChanged(
  serializer: Serializer,
  checkpoint: Checkpoint,
  newVersions: ChannelVersions,
): Promise<PackedChannels> {
  const names = Object.keys(checkpoint.channel_values).filter((name) => Object.hasOwn(newVersions, name))
  return packChannels(serializer, checkpoint, names)
}

/**
 * Returns the unchanged channels of a checkpoint: those that can be shared with the parent, and the names of
 * those that cannot.
 */
export function unchangedChannels(
  checkpoint: Checkpoint,
  changed: PackedChannels,
  parent: StoredCheckpoint | undefined,
): { readonly shared: readonly StoredChannel[]; readonly unknown: readonly string[] } {
  const shared: StoredChannel[] = []
  const unknown: string[] = []
  for (const name of Object.keys(checkpoint.channel_values)) {
    if (changed.has(name)) continue
    const before = parent?.channels.find((channel) => channel.name === name)
    // Shared only with the one parent, and only at the same version. Two forks of a thread count the same
    // versions while their values differ; a store keyed by channel and version would mix them.
    if (before !== undefined && before.version === checkpoint.channel_versions[name]) shared.push(before)
    else unknown.push(name)
  }
  return { shared, unknown }
}

/** Returns channels as they are stored: each as the difference from the parent's, where it begins alike. */
export function storeChannels(
  packed: PackedChannels,
  { channel_versions }: Checkpoint,
  ancestorPieces: AncestorPieces,
): StoredChannel[] {
  return Array.from(packed, ([name, one]) => {
    const stored = store(one, ancestorPieces.base(name), ancestorPieces.find)
    const channel = channelOf(stored, name, channel_versions[name])
    if (one instanceof PackedList) one.rememberIn(channel)
    return channel
  })
}

export async function packChannels(
  serializer: Serializer,
  { channel_values }: Checkpoint,
  names: readonly string[],
): Promise<PackedChannels> {
  const entries = names.map(async (name) => {
    return [name, await serializer.pack(`channel \`${name}\``, channel_values[name])] as const
  })
  return new Map(await Promise.all(entries))
}
