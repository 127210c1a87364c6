import { atPrev, intsPerSlot, pageBits, placeMask, type SlotPage } from './slot-page.ts'

/**
 * What the slot of a session is given that comes now, as the most recently active of its class: the same for all that
 * come in one granule of time; see `idle-class.ts`.
 */
export class Arrival {
  /** The moments for which it holds, and at which nobody in the table can be over: from this one to before that. */
  from = Number.POSITIVE_INFINITY
  until = Number.NEGATIVE_INFINITY
  tick = 0
  quietUntil = 0
  /** When the last session came. A field, as a fraction that is handed to a function takes an object on the way. */
  now = 0
  /** Whether the list was empty before the last session that came. */
  wasFirst = false
  /** The number of its class, doubled: a slot says with one more that it is held. */
  declare readonly kind: number
  /** What stands behind the last session of the list. */
  declare readonly end: number
  /** The memory of that, and where it begins there. It stays where it is as long as the list. */
  declare private readonly endInts: Int32Array
  declare private readonly endAt: number

  constructor(idleClass: number, end: number, pages: readonly (SlotPage | undefined)[]) {
    this.kind = idleClass << 1
    this.end = end
    this.endInts = (pages[end >>> pageBits] as SlotPage).ints
    this.endAt = (end & placeMask) * intsPerSlot
  }

  holdsAt(now: number): boolean {
    return now >= this.from && now < this.until
  }

  /** Puts a slot behind the last one, which it gives; that one has yet to hear of it. */
  putLast(slot: number): number {
    const ints = this.endInts
    const at = this.endAt + atPrev
    const prev = ints[at] as number
    ints[at] = slot
    this.wasFirst = prev === this.end
    return prev
  }
}
