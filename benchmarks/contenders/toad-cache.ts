import { LruMap } from 'toad-cache'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** It ends nothing in the background: what nobody asks for stays in memory. */
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
