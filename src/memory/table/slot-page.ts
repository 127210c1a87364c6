/** A page holds so many slots at most; a slot's number is that of its page and its place in it. */
export const pageBits = 14
export const slotsPerPage = 1 << pageBits
export const placeMask = slotsPerPage - 1

/** The number that no slot has. */
export const noSlot = 0

// Where the numbers of a slot stand in `times` …
export const atLastActive = 0
export const atQuietUntil = 1
export const timesPerSlot = 2

// … in `floats` …
export const atLinkedTick = 0
export const atCreated = 1
export const floatsPerSlot = 5

// … in `ints`, which is the same memory, behind those two …
export const atIdleClass = 4
export const atHeld = 5
export const atHash = 6
export const atPrev = 7
export const atNext = 8
export const atBirth = 9
export const intsPerSlot = 10

// … and what it refers to in `refs`. A constant each: V8 looks the fields of an object up, at each touch.
export const atId = 0
export const atValue = 1
export const refsPerSlot = 2

/**
 * The memory of some thousand slots: their numbers in two buffers, 56 bytes each, and what they refer to in one array.
 *
 * What a touch reads and writes lies together, apart from the rest: so the more of it is in the processor's caches. And
 * the garbage collector finds a few objects here where it would otherwise find one for each session.
 */
export class SlotPage {
  // Declared only, as V8 then knows what they are from the first look.
  declare times: Float64Array
  declare floats: Float64Array
  declare ints: Int32Array
  declare refs: unknown[]
  /** By place; made when the first slot has one, since most never do. */
  declare records: unknown[] | undefined
  declare capacity: number
  /** The slots in use. */
  declare used: number
  /** The place of the first slot that was never used. */
  declare fresh: number
  /** The place of a slot that was freed, `-1` for none; from there a chain leads on through `next`. */
  declare freed: number

  constructor(capacity: number) {
    const buffer = new ArrayBuffer(capacity * floatsPerSlot * Float64Array.BYTES_PER_ELEMENT)
    this.times = new Float64Array(capacity * timesPerSlot)
    this.floats = new Float64Array(buffer)
    this.ints = new Int32Array(buffer)
    this.refs = new Array(capacity * refsPerSlot)
    this.records = undefined
    this.capacity = capacity
    this.used = 0
    this.fresh = 0
    this.freed = -1
  }

  get isFull(): boolean {
    return this.used === this.capacity
  }

  /** Gets another capacity, a larger one. */
  grow(capacity: number): void {
    const { times, floats, refs, records } = this
    const larger = new SlotPage(capacity)
    larger.times.set(times)
    larger.floats.set(floats)
    copy(refs, larger.refs)
    this.times = larger.times
    this.floats = larger.floats
    this.ints = larger.ints
    this.refs = larger.refs
    this.capacity = larger.capacity
    this.records = undefined
    if (records !== undefined) copy(records, this.#recordsToSet())
  }

  recordAt(place: number): unknown {
    return this.records?.[place]
  }

  setRecordAt(place: number, record: unknown): void {
    this.#recordsToSet()[place] = record
  }

  /** The place of a slot that is free, and no longer is; the page is not full. */
  take(): number {
    this.used += 1
    const place = this.freed
    if (place < 0) {
      this.fresh += 1
      return this.fresh - 1
    }
    this.freed = this.ints[place * intsPerSlot + atNext] as number
    return place
  }

  giveBack(place: number): void {
    this.used -= 1
    this.ints[place * intsPerSlot + atNext] = this.freed
    this.ints[place * intsPerSlot + atBirth] = 0
    this.freed = place
    // A value must not stay in memory because its place is kept.
    const at = place * refsPerSlot
    this.refs[at + atId] = undefined
    this.refs[at + atValue] = undefined
    if (this.records !== undefined) this.records[place] = undefined
  }

  /** As long as the page from the beginning: V8 makes a dictionary of an array that is filled from its far end. */
  #recordsToSet(): unknown[] {
    this.records ??= new Array(this.capacity)
    return this.records
  }
}

function copy(from: readonly unknown[], to: unknown[]): void {
  for (let at = 0; at < from.length; at += 1) to[at] = from[at]
}
