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

/** This library, asked for more; see `contenders/demanding.ts`. */
export const demandNames = [
  'a cap',
  'an absolute timeout',
  'an archive hook',
  'a listener of `created`',
  'a logger at level warn',
] as const

export type DemandName = (typeof demandNames)[number]

export const contenderNames = Object.keys(loaders) as readonly (keyof typeof loaders)[]

export type ContenderName = keyof typeof loaders | DemandName

export async function loadContender(name: ContenderName): Promise<MakeContender> {
  if (isDemand(name)) return (await import('./contenders/demanding.ts')).loadDemanding(name)
  return loaders[name]()
}

function isDemand(name: ContenderName): name is DemandName {
  return demandNames.some((demand) => demand === name)
}
