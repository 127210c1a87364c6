import { type LeaseEvents, type LeaseOptions, SessionLease } from '../holds/session-lease.ts'
import type { HoldUser, SharedHold, SharedHolds } from '../holds/shared-holds.ts'
import type { CommitOutcome, LeaseRef } from '../storage/lease-ref.ts'
import type { SessionChanges } from '../storage/session-changes.ts'
import type { SessionStore } from '../storage/session-store.ts'

/** The right of a turn to its session in Redis: the lock, or the use of a hold. */
export interface TurnLease {
  /** Whether no other exclusive turn runs at the same time. */
  readonly isExclusive: boolean
  /** Stops its renewals: only {@link commit} may follow. */
  stop(): void
  /** Saves the changes and releases it. Rejects with the codes of the store. */
  commit(changes: SessionChanges, version: string): Promise<CommitOutcome>
}

/** The turn lock. */
export class LockLease<T> implements TurnLease {
  readonly isExclusive = true
  readonly #store: SessionStore<T>
  readonly #lease: SessionLease<T>

  constructor(store: SessionStore<T>, options: LeaseOptions, ref: LeaseRef, events: LeaseEvents) {
    this.#store = store
    this.#lease = new SessionLease(store, options, ref, events)
  }

  stop(): void {
    this.#lease.stop()
  }

  commit(changes: SessionChanges, version: string): Promise<CommitOutcome> {
    this.#lease.stop()
    return this.#store.commit(this.#lease.ref, changes, version)
  }
}

/** The use of this process's hold by a turn that joins. */
export class HoldLease<T> implements TurnLease {
  readonly isExclusive = false
  readonly #holds: SharedHolds<T>
  readonly #hold: SharedHold<T>
  readonly #user: HoldUser

  constructor(holds: SharedHolds<T>, hold: SharedHold<T>, user: HoldUser) {
    this.#holds = holds
    this.#hold = hold
    this.#user = user
  }

  /** The hold may have other users. */
  stop(): void {}

  commit(changes: SessionChanges, version: string): Promise<CommitOutcome> {
    return this.#holds.release(this.#hold, this.#user, changes, version)
  }
}
