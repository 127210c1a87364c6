import type { RedisClientType } from 'redis'
import { testClient } from './redis-suite.ts'

/** Looks at a Redis from outside, as its administrator does; closed when the test has finished. */
export async function administrator(redis: { readonly url: string }): Promise<RedisClientType> {
  return testClient('redis', redis.url)
}

export interface KeyLife {
  readonly key: string
  /** -1 where the key lives for ever. */
  readonly ttlMs: number
}

/** Every key that this prefix has now, with the time left to it. */
export async function keysWith(admin: RedisClientType, prefix: string): Promise<KeyLife[]> {
  const found: KeyLife[] = []
  for await (const keys of admin.scanIterator({ MATCH: `*${prefix}*`, COUNT: 1_000 })) {
    const ttls = await Promise.all(keys.map((key) => admin.pTTL(key)))
    // -2: it went meanwhile.
    keys.forEach((key, index) => {
      const ttlMs = ttls[index] ?? -2
      if (ttlMs !== -2) found.push({ key, ttlMs })
    })
  }
  return found
}

/**
 * How often each command was carried out since the last reset, inside scripts or outside, in small letters.
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
