import { atPrev, intsPerSlot, offsetMask, pageBits, type Slot } from '../layout.ts'
import { asSlot } from './as-slot.ts'
import type { SlotPage } from './slot-page.ts'

/**
 * Field values for a session that is inserted now, as the most recently active one of its queue. They are the
 * same for one tick, so an insertion computes nothing.
 */
export class InsertTemplate {
  /** The instants for which it is valid, this one included: no session of the table expires in them. */
  validFrom = Number.POSITIVE_INFINITY
  /** The end of that, excluded. */
  validUntil = Number.NEGATIVE_INFINITY
  tick = 0
  nextCheckAt = 0
  /**
   * The time of the latest insertion. A field, since a fraction that is passed to a function is allocated.
   */
  now = 0
  /** Whether the list was empty before the latest insertion. */
  wasEmpty = false
  declare readonly flags: number
  /** What stands behind the last slot of the list. */
  declare readonly sentinel: Slot
  /** The memory of the sentinel. It stays in its place as long as the list. */
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

  /** Makes a slot the one before the sentinel. Returns the former one, whose own link the caller sets. */
  linkAtTail(slot: Slot): Slot {
    const ints = this.sentinelInts
    const at = this.sentinelOffset + atPrev
    const prev = asSlot(ints[at])
    ints[at] = slot
    this.wasEmpty = prev === this.sentinel
    return prev
  }
}
