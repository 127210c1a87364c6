import type { SessionUse } from '../session-use.ts'
import type { SessionView } from '../session-view.ts'
import type { IdleClasses } from './idle-classes.ts'
import { noSlot } from './slot-page.ts'
import type { SlotStore } from './slot-store.ts'

/** Where a record in the table finds what it says of its session. */
export interface RecordHome<T> {
  readonly slots: SlotStore<T>
  readonly classes: IdleClasses<T>
}

/**
 * A session as an object, made when somebody first needs to hold on to it and the same from then on: for a turn, for its
 * archive, for its public {@link SessionView}.
 *
 * While the session is in the table the record only says what stands in its slot. When it leaves, the record takes with it
 * what it was.
 */
export class SessionRecord<T> {
  readonly id: string
  view: SessionView<T> | undefined = undefined
  use: SessionUse<T> | undefined = undefined
  readonly #home: RecordHome<T>
  #slot: number
  // What it takes with it when it leaves.
  #value: T | undefined = undefined
  #lastActive = 0
  #created = 0
  #timeoutMs = 0

  constructor(id: string, slot: number, home: RecordHome<T>) {
    this.id = id
    this.#slot = slot
    this.#home = home
  }

  /** Its place in the table; `noSlot` if it has left. */
  get slot(): number {
    return this.#slot
  }

  get isHeld(): boolean {
    return this.#slot !== noSlot && this.#home.slots.isHeld(this.#slot)
  }

  get value(): T {
    return this.#slot === noSlot ? (this.#value as T) : this.#home.slots.valueOf(this.#slot)
  }

  set value(value: T) {
    if (this.#slot === noSlot) this.#value = value
    else this.#home.slots.setValue(this.#slot, value)
  }

  /** Monotonic time of the last activity. */
  get lastActive(): number {
    return this.#slot === noSlot ? this.#lastActive : this.#home.slots.lastActive(this.#slot)
  }

  /** Monotonic time of the creation. */
  get created(): number {
    return this.#slot === noSlot ? this.#created : this.#home.slots.created(this.#slot)
  }

  get timeoutMs(): number {
    return this.#slot === noSlot ? this.#timeoutMs : this.#home.classes.at(this.#slot).timeoutMs
  }

  /** The session is about to leave the table. */
  leave(): void {
    this.#value = this.value
    this.#lastActive = this.lastActive
    this.#created = this.created
    this.#timeoutMs = this.timeoutMs
    this.#slot = noSlot
  }

  /** The session is in the table again. */
  enter(slot: number): void {
    this.#slot = slot
    // The slot has it now; what replaces it there must not leave it in memory here.
    this.#value = undefined
  }
}
