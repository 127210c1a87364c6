/** What a lease is of: the turn lock, or a hold. */
export type LeaseKind = 'turn' | 'hold'

export interface LeaseRef {
  readonly id: string
  readonly incarnation: string
  readonly kind: LeaseKind
  readonly token: string
}

/** The lease that a commit releases. `part`: none, since others still use the hold. */
export type CommitRef = Omit<LeaseRef, 'kind'> & { readonly kind: LeaseKind | 'part' }

/** The codes of the kinds in the arguments of scripts. */
export const kindCode = { turn: 'l', hold: 'h', part: 'p' } as const

/** The outcome of a commit. `lost`: another process has the lease. `ended`: the session has ended. */
export type CommitOutcome = 'done' | 'lost' | 'ended'
