import type { TimeoutQueues } from '../table/expiry/timeout-queues.ts'
import { noSlot } from '../table/slots/slot-page.ts'
import type { SlotStore } from '../table/slots/slot-store.ts'
import type { SessionUsers } from './session-users.ts'
import type { SessionView } from './session-view.ts'

/** Where a record in the table finds what it says of its session. */
export interface RecordBacking<T> {
  readonly slots: SlotStore<T>
  readonly queues: TimeoutQueues<T>
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
  users: SessionUsers<T> | undefined = undefined
  readonly #backing: RecordBacking<T>
  #slot: number
  // What it takes with it when it leaves.
  #value: T | undefined = undefined
  #lastActive = 0
  #created = 0
  #timeoutMs = 0

  constructor(id: string, slot: number, backing: RecordBacking<T>) {
    this.id = id
    this.#slot = slot
    this.#backing = backing
  }

  /** Its place in the table; `noSlot` if it has left. */
  get slot(): number {
    return this.#slot
  }

  get isHeld(): boolean {
    return this.#slot !== noSlot && this.#backing.slots.isHeld(this.#slot)
  }

  get value(): T {
    return this.#slot === noSlot ? (this.#value as T) : this.#backing.slots.valueOf(this.#slot)
  }

  set value(value: T) {
    if (this.#slot === noSlot) this.#value = value
    else this.#backing.slots.setValue(this.#slot, value)
  }

  /** Monotonic time of the last activity. */
  get lastActive(): number {
    return this.#slot === noSlot ? this.#lastActive : this.#backing.slots.lastActive(this.#slot)
  }

  /** Monotonic time of the creation. */
  get created(): number {
    return this.#slot === noSlot ? this.#created : this.#backing.slots.created(this.#slot)
  }

  get timeoutMs(): number {
    return this.#slot === noSlot ? this.#timeoutMs : this.#backing.queues.ofSlot(this.#slot).timeoutMs
  }

  /** The session is about to leave the table. */
  detach(): void {
    this.#value = this.value
    this.#lastActive = this.lastActive
    this.#created = this.created
    this.#timeoutMs = this.timeoutMs
    this.#slot = noSlot
  }

  /** The session is in the table again. */
  attach(slot: number): void {
    this.#slot = slot
    // The slot has it now; what replaces it there must not leave it in memory here.
    this.#value = undefined
  }
}
