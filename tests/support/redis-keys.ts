import type { RedisClientType } from 'redis'
import { testClient } from './redis-suite.ts'

/** Inspects a Redis as its administrator does; closed when the test has finished. */
export async function administrator(redis: { readonly url: string }): Promise<RedisClientType> {
  return testClient('redis', redis.url)
}

export interface KeyLife {
  readonly key: string
  /** -1 if the key has no TTL. */
  readonly ttlMs: number
}

/** Returns every key of this prefix with its TTL. */
export async function keysWith(admin: RedisClientType, prefix: string): Promise<KeyLife[]> {
  const found: KeyLife[] = []
  for await (const keys of admin.scanIterator({ MATCH: `*${prefix}*`, COUNT: 1_000 })) {
    const ttls = await Promise.all(keys.map((key) => admin.pTTL(key)))
    // -2: it was removed meanwhile.
    keys.forEach((key, index) => {
      const ttlMs = ttls[index] ?? -2
      if (ttlMs !== -2) found.push({ key, ttlMs })
    })
  }
  return found
}

/** Returns all that Redis has under a prefix, except replies that are kept for ten seconds. */
export async function contentsOf(admin: RedisClientType, prefix: string): Promise<Record<string, unknown>> {
  const contents: Record<string, unknown> = {}
  for (const { key } of await keysWith(admin, prefix)) {
    const type = await admin.type(key)
    if (type === 'hash') contents[key] = { ...(await admin.hGetAll(key)) }
    else if (type === 'zset') contents[key] = await admin.zRangeWithScores(key, 0, -1)
    else if (!key.includes(':op:')) contents[key] = await admin.get(key)
  }
  return contents
}

/**
 * Returns the number of executions of each command since the last reset, in scripts and outside, in lower
 * case.
 */
export async function commandCounts(admin: RedisClientType): Promise<ReadonlyMap<string, number>> {
  const info = await admin.info('commandstats')
  return new Map(
    [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, calls]) => [
      name ?? '',
      Number(calls),
    ]),
  )
}
