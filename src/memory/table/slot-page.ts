/** A page holds so many slots at most; a slot's number is that of its page and its place in it. */
export const pageBits = 12
export const slotsPerPage = 1 << pageBits
export const placeMask = slotsPerPage - 1

/** Numbers of a slot in {@link SlotPage.floats}. */
export const floatAt = { lastActive: 0, linkedTick: 1, created: 2 } as const
export const floatsPerSlot = 6

/** Numbers of a slot in {@link SlotPage.ints}: the same memory, behind the three of {@link floatAt}. */
export const intAt = { idleClass: 6, isHeld: 7, hash: 8, prev: 9, next: 10, birth: 11 } as const
export const intsPerSlot = 12

/** What a slot refers to, in {@link SlotPage.refs}. */
export const refAt = { id: 0, value: 1, record: 2 } as const
export const refsPerSlot = 3

/**
 * The memory of some thousand slots: their numbers in one buffer, 48 bytes each, and what they refer to in one array.
 *
 * What a touch reads and writes of a slot lies in one cache line, and the garbage collector finds two objects here where
 * it would otherwise find one for each session.
 */
export class SlotPage {
  // Declared only, as V8 then knows what they are from the first look.
  declare floats: Float64Array
  declare ints: Int32Array
  declare refs: unknown[]
  declare capacity: number
  /** The slots in use. */
  declare used: number
  /** The place of the first slot that was never used. */
  declare fresh: number
  /** The place of a slot that was freed, `-1` for none; from there a chain leads on through `next`. */
  declare freed: number

  constructor(capacity: number) {
    const buffer = new ArrayBuffer(capacity * floatsPerSlot * Float64Array.BYTES_PER_ELEMENT)
    this.floats = new Float64Array(buffer)
    this.ints = new Int32Array(buffer)
    this.refs = new Array(capacity * refsPerSlot)
    this.capacity = capacity
    this.used = 0
    this.fresh = 0
    this.freed = -1
  }

  get isFull(): boolean {
    return this.used === this.capacity
  }

  /** Gets twice the capacity. */
  grow(): void {
    const { floats, refs } = this
    const larger = new SlotPage(this.capacity * 2)
    larger.floats.set(floats)
    for (let at = 0; at < refs.length; at += 1) larger.refs[at] = refs[at]
    this.floats = larger.floats
    this.ints = larger.ints
    this.refs = larger.refs
    this.capacity = larger.capacity
  }

  /** The place of a slot that is free, and no longer is; the page is not full. */
  take(): number {
    this.used += 1
    const place = this.freed
    if (place < 0) {
      this.fresh += 1
      return this.fresh - 1
    }
    this.freed = this.ints[place * intsPerSlot + intAt.next] as number
    return place
  }

  giveBack(place: number): void {
    this.used -= 1
    this.ints[place * intsPerSlot + intAt.next] = this.freed
    this.ints[place * intsPerSlot + intAt.birth] = 0
    this.freed = place
    // A value must not stay in memory because its place is kept.
    const at = place * refsPerSlot
    this.refs[at + refAt.id] = undefined
    this.refs[at + refAt.value] = undefined
    this.refs[at + refAt.record] = undefined
  }
}
