import { invalidOption } from '../core/options/validate.ts'
import type { SessionStore } from '../core/store.ts'
import type { UnstorageLike } from './unstorage/unstorage-like.ts'
import { UnstorageStore } from './unstorage/unstorage-store.ts'

export type { UnstorageDriver, UnstorageLike } from './unstorage/unstorage-like.ts'

const methods = ['getItem', 'setItem', 'removeItem'] as const

/**
 * A store in a storage of unstorage.
 *
 * It is as durable as the driver, and cannot compare: one process a session. A driver that cannot tell a
 * failure from a miss is refused by name. What a driver swallows comes to light by reading back: the first
 * write, and every deletion. A driver whose reads may be stale (`cloudflare-kv-*`) is not for sessions. The
 * storage remains the application's, which disposes of it.
 *
 * A driver cannot be told to stop: a write whose signal aborts is waited for a second longer, and until it
 * has settled every call of the same session through this store waits for it.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const storage = createStorage({ driver: redisDriver({ url }) })
 * const sessions = new SessionRegistry<string[]>({ create: () => [], store: unstorageStore(storage) })
 */
export function unstorageStore(storage: UnstorageLike): SessionStore {
  const given: Partial<Record<string, unknown>> = Object(storage)
  for (const method of methods) {
    if (typeof given[method] !== 'function') throw invalidOption('storage', 'a storage of unstorage', storage)
  }
  return new UnstorageStore(storage)
}
