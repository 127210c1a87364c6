import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** Returns the capacity of a shard as an argument of a script, where -1 is no limit. */
export function capacityText(maxPerShard: number): string {
  return maxPerShard === Number.POSITIVE_INFINITY ? '-1' : String(maxPerShard)
}

export function shardFullError({ maxPerShard }: { readonly maxPerShard: number }): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_REGISTRY_FULL',
    `Expected fewer than ${maxPerShard} live sessions in the shard, which is its part of \`maxSessions\``,
  )
}
