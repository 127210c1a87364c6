import type { IncarnationRef } from '../storage/keys.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { StoredState } from '../storing/stored-state.ts'

/** A claim: an expired incarnation, of this process for as long as its lease is renewed. */
export interface Claim extends IncarnationRef {
  readonly shard: number
  readonly token: string
  /** Whether it was never claimed before. */
  readonly isNew: boolean
  /** Monotonic time before which its lease did not begin. */
  readonly claimedAt: number
}

/** A claim whose archive has begun. */
export interface LoadedClaim {
  readonly state: 'loaded'
  readonly snapshot: SessionSnapshot
  /** Archives of this incarnation that began, this one included. */
  readonly attempt: number
  /** Whether a younger incarnation of the id was archived before it, or the id was deleted. */
  readonly isSuperseded: boolean
  /** What Redis keeps of it for a store. */
  readonly storedState: StoredState
  /** Whether it is no session, but a deletion from the store. */
  readonly isDeletion: boolean
}

/**
 * `taken`: the lease is another's. `waits`: an older incarnation comes first, or the session is live after
 * all. `lost`: its data are gone.
 */
export type ClaimLoadResult = LoadedClaim | { readonly state: 'taken' | 'waits' | 'lost' }

export type ClaimOutcome =
  | { readonly kind: 'ack' }
  | { readonly kind: 'release' }
  | { readonly kind: 'retry'; readonly pauseMs: number }
  | { readonly kind: 'deadLetter'; readonly reason: string }

/**
 * `next`: settled, and a younger incarnation of the id may be claimed. `deleted`: the incarnation was
 * deleted, and its deletion from the store may be claimed.
 */
export type SettleResult = 'lost' | 'settled' | 'next' | 'deleted'
