import { atPrev, intsPerSlot, offsetMask, pageBits, type Slot } from '../layout.ts'
import { asSlot } from './as-slot.ts'
import type { SlotPage } from './slot-page.ts'

/**
 * What the slot of a session is given that comes now, as the most recently active of its queue: the same for all that
 * come in one tick; see `timeout-queue.ts`.
 */
export class InsertTemplate {
  /** The moments for which it holds, and at which nobody in the table can be over: from this one to before that. */
  validFrom = Number.POSITIVE_INFINITY
  validUntil = Number.NEGATIVE_INFINITY
  tick = 0
  nextCheckAt = 0
  /** When the last session came. A field, as a fraction that is handed to a function takes an object on the way. */
  now = 0
  /** Whether the list was empty before the last session that came. */
  wasEmpty = false
  /** The number of its queue, doubled: a slot says with one more that it is held. */
  declare readonly flags: number
  /** What stands behind the last session of the list. */
  declare readonly sentinel: Slot
  /** The memory of that, and where it begins there. It stays where it is as long as the list. */
  declare private readonly sentinelInts: Int32Array
  declare private readonly sentinelOffset: number

  constructor(queueNumber: number, sentinel: Slot, pages: readonly (SlotPage | undefined)[]) {
    this.flags = queueNumber << 1
    this.sentinel = sentinel
    this.sentinelInts = (pages[sentinel >>> pageBits] as SlotPage).ints
    this.sentinelOffset = (sentinel & offsetMask) * intsPerSlot
  }

  isValidAt(now: number): boolean {
    return now >= this.validFrom && now < this.validUntil
  }

  /** Puts a slot behind the last one, which it gives; that one has yet to hear of it. */
  linkAtTail(slot: Slot): Slot {
    const ints = this.sentinelInts
    const at = this.sentinelOffset + atPrev
    const prev = asSlot(ints[at])
    ints[at] = slot
    this.wasEmpty = prev === this.sentinel
    return prev
  }
}
