import { CacheableMemory } from '@cacheable/memory'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** Emits no event for what it expires. */
export function makeCacheableMemory({ timeoutMs, intervalMs }: ContenderOptions): Contender {
  const cache = new CacheableMemory({ ttl: timeoutMs, checkInterval: intervalMs, useClone: false })
  return {
    getOrCreate(id) {
      const value = cache.get<object>(id) ?? sessionValue
      // Reading does not slide, writing does.
      cache.set(id, value)
      return value
    },
    size: () => cache.size,
    sweep: () => cache.checkExpiration(),
    close: () => cache.stopIntervalCheck(),
  }
}
