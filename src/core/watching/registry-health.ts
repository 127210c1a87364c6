/**
 * Why a registry is not ready.
 *
 * - `closing`: `close` was called
 * - `full`: a new session would be refused now
 * - `store-failing`: the last call of the store, of `load` or `archive`, or of Redis has failed
 */
export type UnreadyReason = 'closing' | 'full' | 'store-failing'

/** The result of `health()`. */
export interface RegistryHealth {
  /** The process answers. */
  readonly live: true
  /** Whether the registry can serve new sessions, as far as it knows without asking. */
  readonly ready: boolean
  /** Why it is not ready; absent if it is. */
  readonly why?: UnreadyReason
}

/** Returns the health of a registry, by the reason why it is not ready. */
export function healthOf(why: UnreadyReason | undefined): RegistryHealth {
  return why === undefined ? { live: true, ready: true } : { live: true, ready: false, why }
}
