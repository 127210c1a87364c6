/** What one has of a session for a time: the turn lock, or a hold. */
export type LeaseKind = 'turn' | 'hold'

export interface LeaseRef {
  readonly id: string
  readonly incarnation: string
  readonly kind: LeaseKind
  readonly token: string
}

/** `part`: others have the hold as well, and keep it. */
export type CommitRef = Omit<LeaseRef, 'kind'> & { readonly kind: LeaseKind | 'part' }

/** How the scripts name them. */
export const kindCode = { turn: 'l', hold: 'h', part: 'p' } as const

/**
 * What giving a lease back has come to. `lost`: it was another's. `ended`: the session has ended meanwhile.
 */
export type CommitOutcome = 'done' | 'lost' | 'ended'
