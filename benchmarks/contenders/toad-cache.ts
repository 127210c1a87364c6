import { LruMap } from 'toad-cache'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** Removes nothing in the background: entries that are not read stay in memory. */
export function makeToadCache({ timeoutMs }: ContenderOptions): Contender {
  const cache = new LruMap<object>(0, timeoutMs)
  return {
    getOrCreate(id) {
      const value = cache.get(id) ?? sessionValue
      // Reading does not slide, writing does.
      cache.set(id, value)
      return value
    },
    size: () => cache.size,
    close: () => cache.clear(),
  }
}
