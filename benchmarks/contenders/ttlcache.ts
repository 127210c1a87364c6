import { TTLCache } from '@isaacs/ttlcache'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

export function makeTtlCache({ timeoutMs, onExpired }: ContenderOptions): Contender {
  const cache = new TTLCache<string, object>({
    ttl: timeoutMs,
    updateAgeOnGet: true,
    checkAgeOnGet: true,
    ...(onExpired === undefined ? {} : { dispose: (_value, id) => onExpired(id) }),
  })
  return {
    getOrCreate(id) {
      const value = cache.get(id)
      if (value !== undefined) return value
      cache.set(id, sessionValue)
      return sessionValue
    },
    size: () => cache.size,
    sweep: () => cache.purgeStale(),
    close: () => cache.cancelTimer(),
  }
}
