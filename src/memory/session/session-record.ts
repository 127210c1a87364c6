import type { Session } from '../../core/session.ts'
import type { OwnerIndex } from '../owners/owner-index.ts'
import type { StoreEntry } from '../storing/store-entry.ts'
import { noSlot, type SessionTable, type Slot } from '../table/session-table.ts'

/** The public object of a session, as its record keeps it. */
export interface RecordView<T> extends Session<T> {
  /** Stops the times: the session has ended. */
  end(now: number): void
  /** Starts the times anew: the session was restored. */
  restart(): void
}

/**
 * A reference to a session that outlives the present step: for its turns and holds, its archive and its
 * public object.
 *
 * ```
 *   SessionView ──▶ SessionRecord ──▶ slot of the table      while the session is there
 *   (public)          │      │ ╲────▶ value and times         a copy, once it has left
 *                     │      ▼
 *                     │    SessionUsers: TurnRun, HoldTicket  while it is in use
 *                     ◀──────────────────┘ each refers to its record
 * ```
 *
 * It is made when it is first needed, and most sessions never have one. While the session is in the table the
 * record reads its slot, whose number is used again later. When the session leaves, the record keeps its
 * value and times.
 */
export class SessionRecord<T> {
  readonly id: string
  view: RecordView<T> | undefined = undefined
  /** Read through `usersOf` of `session-users.ts`; `undefined` while the session is not in use. */
  users: object | undefined = undefined
  /** What the store has of the session; `undefined` without a store, and until it is first needed. */
  stored: StoreEntry | undefined = undefined
  /** Monotonic time at which it left the table to be archived or disposed of. */
  leftAt = 0
  readonly #table: SessionTable<T, object> & { readonly owners: OwnerIndex }
  #slot: Slot
  // Copies, once the session has left the table.
  #value: T | undefined = undefined
  #lastActive = 0
  #created = 0
  #timeoutMs = 0
  #owner: string | undefined = undefined

  constructor(slot: Slot, table: SessionTable<T, object> & { readonly owners: OwnerIndex }) {
    this.id = table.idOf(slot)
    this.#slot = slot
    this.#table = table
  }

  /** The slot of the session; `noSlot` once it has left the table. */
  get slot(): Slot {
    return this.#slot
  }

  get isHeld(): boolean {
    return this.#slot !== noSlot && this.#table.isHeld(this.#slot)
  }

  get value(): T {
    return this.#slot === noSlot ? (this.#value as T) : this.#table.valueOf(this.#slot)
  }

  set value(value: T) {
    if (this.#slot === noSlot) this.#value = value
    else this.#table.assign(this.#slot, value)
  }

  /** Monotonic time of the last activity. */
  get lastActive(): number {
    return this.#slot === noSlot ? this.#lastActive : this.#table.lastActive(this.#slot)
  }

  /** Monotonic time of the creation. */
  get created(): number {
    return this.#slot === noSlot ? this.#created : this.#table.created(this.#slot)
  }

  get timeoutMs(): number {
    return this.#slot === noSlot ? this.#timeoutMs : this.#table.timeoutMs(this.#slot)
  }

  get owner(): string | undefined {
    return this.#slot === noSlot ? this.#owner : this.#table.owners.ownerOf(this.#slot)
  }

  set owner(owner: string | undefined) {
    if (this.#slot !== noSlot) this.#table.owners.set(this.#slot, owner)
  }

  /** Copies what the slot holds: the session is about to leave the table. */
  detach(): void {
    this.#value = this.value
    this.#lastActive = this.lastActive
    this.#created = this.created
    this.#timeoutMs = this.timeoutMs
    this.#owner = this.owner
    this.#slot = noSlot
  }

  /** Refers to a slot again: the session was restored. */
  attach(slot: Slot): void {
    this.#slot = slot
    // The slot holds the value now. A copy here would keep it in memory after it was replaced there.
    this.#value = undefined
  }
}
