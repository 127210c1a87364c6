import { LRUCache } from 'lru-cache'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

export function makeLruCache(options: ContenderOptions): Contender {
  const { timeoutMs, intervalMs, onExpired, isClockMoved } = options
  const cache = new LRUCache<string, object>({
    ttl: timeoutMs,
    updateAgeOnGet: true,
    // lru-cache needs a bound. `ttlAutopurge` would be one timer per entry, as `timeout-each`; a timer purges
    // instead.
    max: 0,
    maxSize: Number.MAX_SAFE_INTEGER,
    sizeCalculation: () => 1,
    ...(isClockMoved === true ? { ttlResolution: 0 } : {}),
    ...(onExpired === undefined ? {} : { dispose: (_value, id) => onExpired(id) }),
  })
  const sweep = () => void cache.purgeStale()
  const timer = setInterval(sweep, intervalMs).unref()
  return {
    getOrCreate(id) {
      const value = cache.get(id)
      if (value !== undefined) return value
      cache.set(id, sessionValue)
      return sessionValue
    },
    size: () => cache.size,
    sweep,
    close: () => clearInterval(timer),
  }
}
