import { noSlot, type SessionTable, type Slot } from '../table/session-table.ts'
import type { SessionUsers } from './session-users.ts'
import type { SessionView } from './session-view.ts'

/**
 * A session as an object: the same one from its first use, for what refers to a session beyond the present step. That is
 * a turn, a hold, an archive, the public {@link SessionView}.
 *
 * While the session is in the table, the record reads from its slot. Detached, the record keeps what the session was.
 */
export class SessionRecord<T> {
  readonly id: string
  view: SessionView<T> | undefined = undefined
  users: SessionUsers<T> | undefined = undefined
  readonly #table: SessionTable<T, object>
  #slot: Slot
  // What a detached record keeps.
  #value: T | undefined = undefined
  #lastActive = 0
  #created = 0
  #timeoutMs = 0

  constructor(slot: Slot, table: SessionTable<T, object>) {
    this.id = table.idOf(slot)
    this.#slot = slot
    this.#table = table
  }

  /** The slot of the session; `noSlot` after it left the table. */
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

  /** Copies what the slot holds, as the session is about to leave the table. */
  detach(): void {
    this.#value = this.value
    this.#lastActive = this.lastActive
    this.#created = this.created
    this.#timeoutMs = this.timeoutMs
    this.#slot = noSlot
  }

  /** Reads from a slot again, as the session is back in the table. */
  attach(slot: Slot): void {
    this.#slot = slot
    // A value that is replaced in the slot must not stay in memory here.
    this.#value = undefined
  }
}
