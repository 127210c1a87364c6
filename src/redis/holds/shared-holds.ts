import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { CommitOutcome } from '../storage/lease-ref.ts'
import { isChanged, noChanges } from '../storage/session-changes.ts'
import type { AccessResult, SessionStore } from '../storage/session-store.ts'
import { newToken } from '../storage/tokens.ts'
import { type LeaseOptions, SessionLease } from './session-lease.ts'

/** A user of a hold: a turn that joins, or a hold of the application. */
export interface HoldUser {
  /** The hold is lost: another process took the session, or it has ended. */
  onLost(error: SessionRegistryError): void
}

/** A hold of this process on one incarnation, shared by all its users. */
export interface SharedHold<T> {
  readonly group: HoldGroup<T>
  readonly lease: SessionLease<T>
  readonly users: Set<HoldUser>
}

/** The outcome of {@link SharedHolds.take}. */
export type TakeResult<T> =
  | Extract<AccessResult, { state: 'absent' }>
  | (Extract<AccessResult, { state: 'live' }> & { readonly hold: SharedHold<T> })

/**
 * The holds of this process in Redis: at most one for each session, however many users it has.
 *
 * Every script that reads a session parses all its holds. With one for each user, the cost of concurrent
 * reads would grow with the square of their number.
 */
export class SharedHolds<T> {
  readonly #store: SessionStore<T>
  readonly #options: LeaseOptions
  readonly #groups = new Map<string, HoldGroup<T>>()

  constructor(store: SessionStore<T>, options: LeaseOptions) {
    this.#store = store
    this.#options = options
  }

  /**
   * Reads and touches the live session, and holds it for `user`. Rejects with `ERR_SESSION_NOT_OWNER`, and
   * with the codes of the store.
   */
  async take(id: string, user: HoldUser, owner: string | undefined): Promise<TakeResult<T>> {
    const group = this.#groups.get(id) ?? new HoldGroup<T>(id)
    this.#groups.set(id, group)
    group.pendingCount += 1
    try {
      const takes = { kind: 'hold', token: group.token } as const
      const onLate = (incarnation: string) => {
        this.#holdOf(group, incarnation)
        this.#releaseUnused(group)
      }
      const accessed = await this.#store.access(id, { touches: true, reads: true, takes, owner, onLate })
      if (accessed.state === 'absent') return accessed
      const hold = this.#holdOf(group, accessed.snapshot.incarnation)
      hold.users.add(user)
      return { ...accessed, hold }
    } finally {
      group.pendingCount -= 1
      this.#releaseUnused(group)
    }
  }

  /**
   * Ends the use of one user, and saves its changes if the session still has the version that it read.
   *
   * Rejects with the codes of the store.
   */
  async release(
    { group, lease, users }: SharedHold<T>,
    user: HoldUser,
    changes = noChanges,
    version = '',
  ): Promise<CommitOutcome> {
    if (!users.delete(user)) return 'lost'
    const isLast = users.size === 0 && group.pendingCount === 0
    if (isLast) this.#end(group, lease)
    else if (!isChanged(changes)) return 'done'
    return this.#store.commit({ ...lease.ref, kind: isLast ? 'hold' : 'part' }, changes, version)
  }

  #holdOf(group: HoldGroup<T>, incarnation: string): SharedHold<T> {
    const present = group.holds.get(incarnation)
    if (present !== undefined) return present
    const { id, token } = group
    const ref = { id, incarnation, kind: 'hold', token } as const
    const users = new Set<HoldUser>()
    const lease = new SessionLease<T>(this.#store, this.#options, ref, {
      onLost: (error) => {
        group.holds.delete(incarnation)
        this.#dropIfUnused(group)
        const remaining = [...users]
        users.clear()
        for (const user of remaining) user.onLost(error)
      },
      onInterrupted: () => {},
    })
    const hold: SharedHold<T> = { group, lease, users }
    group.holds.set(incarnation, hold)
    return hold
  }

  /** Releases what has no user any more. */
  #releaseUnused(group: HoldGroup<T>): void {
    if (group.pendingCount > 0) return
    for (const { users, lease } of group.holds.values()) {
      if (users.size > 0) continue
      this.#end(group, lease)
      // If Redis does not reply, the lease lapses.
      this.#store.commit(lease.ref, noChanges, '').catch(() => {})
    }
    this.#dropIfUnused(group)
  }

  #end(group: HoldGroup<T>, lease: SessionLease<T>): void {
    lease.stop()
    group.holds.delete(lease.ref.incarnation)
    this.#dropIfUnused(group)
  }

  /** The next hold of the id gets another token: a repeated release must not end it. */
  #dropIfUnused(group: HoldGroup<T>): void {
    if (group.holds.size > 0 || group.pendingCount > 0) return
    if (this.#groups.get(group.id) === group) this.#groups.delete(group.id)
  }
}

/** The holds of one id under one token: one for each incarnation that is still held. */
class HoldGroup<T> {
  readonly id: string
  readonly token = newToken()
  readonly holds = new Map<string, SharedHold<T>>()
  /** The number of calls for the hold without a reply. */
  pendingCount = 0

  constructor(id: string) {
    this.id = id
  }
}
