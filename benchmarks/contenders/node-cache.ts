import NodeCache from 'node-cache'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

export function makeNodeCache({ timeoutMs, intervalMs, onExpired }: ContenderOptions): Contender {
  const seconds = timeoutMs / 1000
  const cache = new NodeCache({ stdTTL: seconds, checkperiod: intervalMs / 1000, useClones: false })
  if (onExpired !== undefined) cache.on('expired', onExpired)
  const { _checkData: checkData } = cache as unknown as { _checkData(startPeriod: boolean): void }
  return {
    getOrCreate(id) {
      const value = cache.get<object>(id)
      if (value === undefined) {
        cache.set(id, sessionValue)
        return sessionValue
      }
      // Reading does not slide.
      cache.ttl(id, seconds)
      return value
    },
    size: () => cache.getStats().keys,
    sweep: () => checkData(false),
    close: () => cache.close(),
  }
}
