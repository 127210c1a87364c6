import type { LeaseRef, LeaveOutcome } from './lease-ref.ts'
import type { SessionChanges } from './redis-session.ts'
import { type LeaseEvents, type LeaseOptions, SessionLease } from './session-lease.ts'
import type { SessionStore } from './session-store.ts'
import type { HoldUser, SharedHold, SharedHolds } from './shared-holds.ts'

/** What a turn has of its session in Redis while it runs: the lock, or a part of a hold. */
export interface TurnPlace {
  /** Whether no other turn that excludes others runs meanwhile. */
  readonly excludes: boolean
  /** Renews it no more: from now on only {@link leave} is to come. */
  stop(): void
  /** Gives it back, and saves the changes. Rejects with the codes of the store. */
  leave(changes: SessionChanges, version: string): Promise<LeaveOutcome>
}

/** The turn lock. */
export class LockPlace<T> implements TurnPlace {
  readonly excludes = true
  readonly #store: SessionStore<T>
  readonly #lease: SessionLease<T>

  constructor(store: SessionStore<T>, options: LeaseOptions, ref: LeaseRef, events: LeaseEvents) {
    this.#store = store
    this.#lease = new SessionLease(store, options, ref, events)
  }

  stop(): void {
    this.#lease.stop()
  }

  leave(changes: SessionChanges, version: string): Promise<LeaveOutcome> {
    this.#lease.stop()
    return this.#store.leave(this.#lease.ref, changes, version)
  }
}

/** The part of a turn that joins in the hold of this process. */
export class HoldPlace<T> implements TurnPlace {
  readonly excludes = false
  readonly #holds: SharedHolds<T>
  readonly #hold: SharedHold<T>
  readonly #user: HoldUser

  constructor(holds: SharedHolds<T>, hold: SharedHold<T>, user: HoldUser) {
    this.#holds = holds
    this.#hold = hold
    this.#user = user
  }

  /** Others may have the hold as well. */
  stop(): void {}

  leave(changes: SessionChanges, version: string): Promise<LeaveOutcome> {
    return this.#holds.leave(this.#hold, this.#user, changes, version)
  }
}
