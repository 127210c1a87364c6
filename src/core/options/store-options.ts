import { CheckedCodec, type SessionCodec } from '../codec/codec.ts'
import { jsonCodec } from '../codec/json-codec.ts'
import { SessionRegistryError } from '../errors/session-registry-error.ts'
import type { SessionStore } from '../store.ts'
import { CheckedStore } from '../storing/checked-store.ts'
import { optional, withDefault } from './read-options.ts'
import { checkFunction, checkOneOf, checkPositive, invalidNumber, invalidOption } from './validate.ts'

/** When a session is written to the store: after each of its turns, or when it ends. */
export type SaveMode = 'turn' | 'end'

/** The options of a registry that keeps its sessions in a store. */
export interface StoreOptions {
  /**
   * The store that keeps the sessions durably, instead of `load` and `archive`: `open`, `run`, `stream` and
   * `acquire` read a session that is not in memory, and it is written as {@link save} says.
   *
   * It is closed with the registry.
   */
  readonly store?: SessionStore | undefined
  /**
   * When sessions are written. `'turn'`: as the last part of each turn, so that the value is in the store
   * when `run` resolves. `'end'`: when the session ends. A session that has not changed is not written again.
   *
   * @defaultValue 'turn'
   */
  readonly save?: SaveMode | undefined
  /**
   * How long a stored session is kept without activity. Afterwards no call finds it, without an event, and a
   * store that can prune deletes it: after the first background sweep, then at most once an hour.
   *
   * A session that does not change is written again only when its stored time of activity lags by a quarter
   * of this. So it may be deleted after three quarters, and a value below twice `timeoutMs`, which could
   * delete a session in use, is refused.
   *
   * Milliseconds; at least twice `timeoutMs`, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly keepMs?: number | undefined
}

/** {@link StoreOptions} with every default filled in. */
export interface ResolvedStoreOptions<T> {
  readonly store: CheckedStore
  readonly codec: CheckedCodec<T>
  readonly save: SaveMode
  readonly keepMs: number
}

export const storeReaders = {
  store: optional(checkStore),
  save: withDefault<SaveMode>('turn', (name, given) => checkOneOf(name, given, ['turn', 'end'])),
  keepMs: withDefault(Number.POSITIVE_INFINITY, checkPositive),
}

/**
 * Returns the options of the store; `undefined` where there is none.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function resolveStore<T>(options: {
  readonly store: SessionStore | undefined
  readonly save: SaveMode
  readonly keepMs: number
  readonly codec: SessionCodec<T> | undefined
  readonly timeoutMs: number
  readonly load: unknown
  readonly archive: unknown
}): ResolvedStoreOptions<T> | undefined {
  const { store, save, keepMs, codec = jsonCodec as SessionCodec<T>, timeoutMs } = options
  if (store === undefined) return undefined
  for (const hook of ['load', 'archive'] as const) {
    if (options[hook] !== undefined) throw besideStoreError(hook)
  }
  if (keepMs < timeoutMs * 2)
    throw invalidNumber('keepMs', `at least twice \`timeoutMs\` (${timeoutMs})`, keepMs)
  return { store: new CheckedStore(store), codec: new CheckedCodec(codec), save, keepMs }
}

/** Returns the longest idle timeout that a session may have of its own, in milliseconds. */
export function maxTimeoutOf(storage: { readonly keepMs: number } | undefined): number {
  return storage === undefined ? Number.POSITIVE_INFINITY : storage.keepMs / 2
}

/**
 * Checks the own idle timeout of a session: a stored one must not be pruned while it may be live.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkOwnTimeout(timeoutMs: number, maxTimeoutMs: number): number {
  checkPositive('timeoutMs', timeoutMs)
  if (timeoutMs <= maxTimeoutMs) return timeoutMs
  throw invalidNumber('timeoutMs', `at most half of \`keepMs\` (${2 * maxTimeoutMs})`, timeoutMs)
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
function checkStore(name: string, value: unknown): SessionStore {
  if (typeof value !== 'object' || value === null)
    throw invalidOption(name, 'an object with get, put and delete', value)
  const store = value as SessionStore
  for (const method of ['get', 'put', 'delete'] as const) checkFunction(`${name}.${method}`, store[method])
  for (const method of ['prune', 'owned', 'close'] as const) {
    const given = store[method]
    if (given !== undefined) checkFunction(`${name}.${method}`, given)
  }
  return store
}

function besideStoreError(hook: 'load' | 'archive'): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    `Expected either \`store\` or \`${hook}\`, got both: a store takes the place of the hooks`,
  )
}
