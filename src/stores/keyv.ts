import { invalidOption } from '../core/options/validate.ts'
import type { SessionStore } from '../core/store.ts'
import type { KeyvLike } from './keyv/keyv-like.ts'
import { KeyvStore } from './keyv/keyv-store.ts'

export type { KeyvLike } from './keyv/keyv-like.ts'

const methods = ['getRaw', 'set', 'delete', 'on'] as const

/**
 * A store in a Keyv, of version 5.5 or newer, or 6.
 *
 * It is as durable as the Keyv's own store, and cannot compare: one process a session. Sessions are written
 * without a time to live. A failure that Keyv would swallow rejects: the store listens to `error`, without
 * changing what the application's own calls do. The Keyv remains the application's, which disconnects it.
 *
 * A Keyv cannot be told to stop: a write whose signal aborts is waited for a second longer, and until it has
 * settled every call of the same session through this store waits for it.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: an object without `getRaw` (Keyv before 5.5), or
 *   a Keyv with `emitErrors: false`, which keeps failures of its store to itself
 *
 * @example const sessions = new SessionRegistry<string[]>({ create: () => [], store: keyvStore(new Keyv(new
 *   KeyvRedis(url))) })
 */
export function keyvStore(keyv: KeyvLike): SessionStore {
  const given: Partial<Record<string, unknown>> = Object(keyv)
  for (const method of methods) {
    if (typeof given[method] !== 'function')
      throw invalidOption('keyv', 'a Keyv of version 5.5 or newer', keyv)
  }
  if ((given as { opts?: { emitErrors?: unknown } }).opts?.emitErrors === false) {
    throw invalidOption('keyv', 'a Keyv that emits errors (`emitErrors`)', keyv)
  }
  return new KeyvStore(keyv)
}
