import type { MakeContender } from './contender.ts'

/** Loaders by name. A measuring process loads its own contender only. */
const loaders = {
  baseline: async () => (await import('./contenders/baseline.ts')).makeBaseline,
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

/** Variants of this library with further options; see `contenders/variants.ts`. */
export const variantNames = [
  'a cap',
  'an absolute timeout',
  'an archive hook',
  'a listener of `created`',
  'a logger at level warn',
] as const

export type VariantName = (typeof variantNames)[number]

export const contenderNames = Object.keys(loaders) as readonly (keyof typeof loaders)[]

export type ContenderName = keyof typeof loaders | VariantName

export async function loadContender(name: ContenderName): Promise<MakeContender> {
  if (isVariant(name)) return (await import('./contenders/variants.ts')).loadVariant(name)
  return loaders[name]()
}

function isVariant(name: ContenderName): name is VariantName {
  return variantNames.some((variant) => variant === name)
}
