import type { MakeContender } from './contender.ts'

/** Each is loaded alone, in the process that measures it. */
const loaders = {
  limit: async () => (await import('./contenders/limit.ts')).makeLimit,
  'session-registry': async () => (await import('./contenders/session-registry.ts')).loadSessionRegistry(),
  'full-scan Map': async () => (await import('./contenders/full-scan-map.ts')).makeFullScanMap,
  'setTimeout each': async () => (await import('./contenders/timeout-each.ts')).makeTimeoutEach,
  'lru-cache': async () => (await import('./contenders/lru-cache.ts')).makeLruCache,
  '@isaacs/ttlcache': async () => (await import('./contenders/ttlcache.ts')).makeTtlCache,
  'node-cache': async () => (await import('./contenders/node-cache.ts')).makeNodeCache,
  memorystore: async () => (await import('./contenders/memorystore.ts')).makeMemoryStore,
  'toad-cache': async () => (await import('./contenders/toad-cache.ts')).makeToadCache,
  '@cacheable/memory': async () => (await import('./contenders/cacheable-memory.ts')).makeCacheableMemory,
} satisfies Record<string, () => Promise<MakeContender>>

export type ContenderName = keyof typeof loaders

export const contenderNames = Object.keys(loaders) as readonly ContenderName[]

export function loadContender(name: ContenderName): Promise<MakeContender> {
  return loaders[name]()
}
