import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { SessionChanges } from '../redis-session.ts'
import type { CommitOutcome } from '../storage/lease-ref.ts'
import type { AccessResult, SessionStore } from '../storage/session-store.ts'
import { newToken } from '../storage/tokens.ts'
import { type LeaseOptions, SessionLease } from './session-lease.ts'

/** A user of a hold: a turn that joins, or a hold of the application. */
export interface HoldUser {
  /** The hold is gone: another process took the session over, or it has ended. */
  onLost(error: SessionRegistryError): void
}

/** A hold of this process on one incarnation, for all who hold it here. */
export interface SharedHold<T> {
  readonly group: HoldGroup<T>
  readonly lease: SessionLease<T>
  readonly users: Set<HoldUser>
}

/** What {@link SharedHolds.take} has come to. */
export type TakeResult<T> =
  | Extract<AccessResult, { state: 'absent' }>
  | (Extract<AccessResult, { state: 'live' }> & { readonly hold: SharedHold<T> })

const noChanges: SessionChanges = { text: undefined, timeoutMs: undefined }

/**
 * The holds of this process: at most one in Redis for each session, however many hold it here.
 *
 * Every script that looks at a session reads all its holds. With a hold for each of them, a thousand reads of
 * one session at once cost a million looks.
 */
export class SharedHolds<T> {
  readonly #store: SessionStore<T>
  readonly #options: LeaseOptions
  readonly #groups = new Map<string, HoldGroup<T>>()

  constructor(store: SessionStore<T>, options: LeaseOptions) {
    this.#store = store
    this.#options = options
  }

  /** Reads and touches the live session, and holds it for `user`. Rejects with the codes of the store. */
  async take(id: string, user: HoldUser, { reads = false } = {}): Promise<TakeResult<T>> {
    const group = this.#groups.get(id) ?? new HoldGroup<T>(id)
    this.#groups.set(id, group)
    group.pendingCount += 1
    try {
      const takes = { kind: 'hold', token: group.token } as const
      const onLate = (incarnation: string) => {
        this.#holdOf(group, incarnation)
        this.#releaseUnused(group)
      }
      const accessed = await this.#store.access(id, { touches: true, reads, takes, onLate })
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
   * Ends the part of one user, and saves what it changed if the session is still in the version that it read.
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
    else if (changes.text === undefined && changes.timeoutMs === undefined) return 'done'
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

  /** Gives back what no one has a part in any more. */
  #releaseUnused(group: HoldGroup<T>): void {
    if (group.pendingCount > 0) return
    for (const { users, lease } of group.holds.values()) {
      if (users.size > 0) continue
      this.#end(group, lease)
      // It ends by itself where Redis does not answer.
      this.#store.commit(lease.ref, noChanges, '').catch(() => {})
    }
    this.#dropIfUnused(group)
  }

  #end(group: HoldGroup<T>, lease: SessionLease<T>): void {
    lease.stop()
    group.holds.delete(lease.ref.incarnation)
    this.#dropIfUnused(group)
  }

  /** The next hold of the id has another token: a release that is repeated must not end it. */
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
  /** Those that have asked Redis for the hold, and have no answer yet. */
  pendingCount = 0

  constructor(id: string) {
    this.id = id
  }
}
