import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import type { LeaveOutcome } from './lease-ref.ts'
import { newName } from './names.ts'
import type { SessionChanges } from './redis-session.ts'
import { type LeaseOptions, SessionLease } from './session-lease.ts'
import type { Entered, SessionStore } from './session-store.ts'

/** A user of a hold: a turn that joins, or a hold of the application. */
export interface HoldUser {
  /** The hold is gone: another process took the session over, or it has ended. */
  lost(error: SessionRegistryError): void
}

/** A hold of this process on one incarnation, for all who hold it here. */
export interface SharedHold<T> {
  readonly sharing: Sharing<T>
  readonly lease: SessionLease<T>
  readonly users: Set<HoldUser>
}

/** What {@link SharedHolds.take} has come to. */
export type Taken<T> =
  | Extract<Entered, { state: 'absent' }>
  | (Extract<Entered, { state: 'live' }> & { readonly hold: SharedHold<T> })

const nothing: SessionChanges = { text: undefined, timeoutMs: undefined }

/**
 * The holds of this process: at most one in Redis for each session, however many hold it here.
 *
 * Every script that looks at a session reads all its holds. With a hold for each of them, a thousand reads of one session
 * at once cost a million looks.
 */
export class SharedHolds<T> {
  readonly #store: SessionStore<T>
  readonly #options: LeaseOptions
  readonly #sharings = new Map<string, Sharing<T>>()

  constructor(store: SessionStore<T>, options: LeaseOptions) {
    this.#store = store
    this.#options = options
  }

  /** Reads and touches the live session, and holds it for `user`. Rejects with the codes of the store. */
  async take(id: string, user: HoldUser, { reads = false } = {}): Promise<Taken<T>> {
    const sharing = this.#sharings.get(id) ?? new Sharing<T>(id)
    this.#sharings.set(id, sharing)
    sharing.coming += 1
    try {
      const takes = { kind: 'hold', token: sharing.token } as const
      const onLate = (incarnation: string) => {
        this.#holdOf(sharing, incarnation)
        this.#tidy(sharing)
      }
      const entered = await this.#store.enter(id, { touches: true, reads, takes, onLate })
      if (entered.state === 'absent') return entered
      const hold = this.#holdOf(sharing, entered.life.incarnation)
      hold.users.add(user)
      return { ...entered, hold }
    } finally {
      sharing.coming -= 1
      this.#tidy(sharing)
    }
  }

  /**
   * Ends the part of one user, and saves what it changed if the session is still in the version that it read.
   *
   * Rejects with the codes of the store.
   */
  async leave(
    { sharing, lease, users }: SharedHold<T>,
    user: HoldUser,
    changes = nothing,
    version = '',
  ): Promise<LeaveOutcome> {
    if (!users.delete(user)) return 'lost'
    const isLast = users.size === 0 && sharing.coming === 0
    if (isLast) this.#end(sharing, lease)
    else if (changes.text === undefined && changes.timeoutMs === undefined) return 'done'
    return this.#store.leave({ ...lease.ref, kind: isLast ? 'hold' : 'part' }, changes, version)
  }

  #holdOf(sharing: Sharing<T>, incarnation: string): SharedHold<T> {
    const present = sharing.holds.get(incarnation)
    if (present !== undefined) return present
    const { id, token } = sharing
    const ref = { id, incarnation, kind: 'hold', token } as const
    const users = new Set<HoldUser>()
    const lease = new SessionLease<T>(this.#store, this.#options, ref, {
      lost: (error) => {
        sharing.holds.delete(incarnation)
        this.#forget(sharing)
        const left = [...users]
        users.clear()
        for (const user of left) user.lost(error)
      },
      interrupted: () => {},
    })
    const hold = { sharing, lease, users }
    sharing.holds.set(incarnation, hold)
    return hold
  }

  /** Gives back what no one has a part in any more. */
  #tidy(sharing: Sharing<T>): void {
    if (sharing.coming > 0) return
    for (const { users, lease } of sharing.holds.values()) {
      if (users.size > 0) continue
      this.#end(sharing, lease)
      // It ends by itself where Redis does not answer.
      this.#store.leave(lease.ref, nothing, '').catch(() => {})
    }
    this.#forget(sharing)
  }

  #end(sharing: Sharing<T>, lease: SessionLease<T>): void {
    lease.stop()
    sharing.holds.delete(lease.ref.incarnation)
    this.#forget(sharing)
  }

  /** The next hold of the id has another token: a release that is repeated must not end it. */
  #forget(sharing: Sharing<T>): void {
    if (sharing.holds.size > 0 || sharing.coming > 0) return
    if (this.#sharings.get(sharing.id) === sharing) this.#sharings.delete(sharing.id)
  }
}

/** The holds of one id under one token: one for each incarnation that is still held. */
class Sharing<T> {
  readonly id: string
  readonly token = newName()
  readonly holds = new Map<string, SharedHold<T>>()
  /** Those that have asked Redis for the hold, and have no answer yet. */
  coming = 0

  constructor(id: string) {
    this.id = id
  }
}
