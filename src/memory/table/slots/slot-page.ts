import {
  atGeneration,
  atId,
  atNext,
  atValue,
  floatsPerSlot,
  intsPerSlot,
  refsPerSlot,
  slotsPerPage,
  timesPerSlot,
} from '../layout.ts'

const timesBytes = timesPerSlot * Float64Array.BYTES_PER_ELEMENT
const floatsBytes = floatsPerSlot * Float64Array.BYTES_PER_ELEMENT
const hashBytes = Int32Array.BYTES_PER_ELEMENT

/** Made with the registry. A page takes as long as 40 creations; of a registry with a handful of sessions this is all. */
const slotsInFirstPage = 512

/**
 * How many slots a page has: each of the first ones as many as all before it. So memory is at most twice what is needed,
 * and nothing is ever copied into a larger place.
 */
export function capacityOf(index: number): number {
  return index === 0 ? slotsInFirstPage : Math.min(slotsPerPage, slotsInFirstPage * 2 ** (index - 1))
}

/**
 * The memory of some thousand slots: their numbers in one buffer, 48 or 52 bytes each, and what they refer to in one array.
 *
 * What a touch reads and writes lies together, apart from the rest: so the more of it is in the processor's caches. And
 * the garbage collector finds a few objects here where it would otherwise find one for each session.
 */
export class SlotPage {
  // Declared only, as V8 then knows what they are from the first look.
  declare readonly times: Float64Array
  declare readonly floats: Float64Array
  declare readonly ints: Int32Array
  declare readonly refs: unknown[]
  /** By place; made when the first slot has one, since most never do. */
  declare records: unknown[] | undefined
  /** The hashes of the ids, by place; made when the first slot has one, for a `Map` needs none. */
  declare hashes: Int32Array | undefined
  declare readonly capacity: number
  /** The generation of its slots that were never used. */
  declare readonly firstGeneration: number
  /** The place of the first slot that was never used. */
  declare nextUnused: number
  /** The place of a slot that was freed, `-1` for none; from there a chain leads on through `next`. */
  declare freeHead: number
  /** How many slots are in that chain. */
  declare freeCount: number

  constructor(capacity: number, firstGeneration: number) {
    // One buffer, as each costs as much as a dozen creations. And while V8 marks, it may do a step of that for each.
    const buffer = new ArrayBuffer(
      capacity * (timesBytes + floatsBytes + (capacity < slotsPerPage ? 0 : hashBytes)),
    )
    this.times = new Float64Array(buffer, 0, capacity * timesPerSlot)
    this.floats = new Float64Array(buffer, capacity * timesBytes, capacity * floatsPerSlot)
    this.ints = new Int32Array(buffer, capacity * timesBytes, capacity * intsPerSlot)
    this.refs = new Array(capacity * refsPerSlot)
    this.records = undefined
    this.hashes = undefined
    this.capacity = capacity
    this.firstGeneration = firstGeneration
    this.nextUnused = 0
    this.freeHead = -1
    this.freeCount = 0
  }

  isFull(): boolean {
    return this.freeHead < 0 && this.nextUnused === this.capacity
  }

  isEmpty(): boolean {
    return this.nextUnused === this.freeCount
  }

  /** Tells apart the sessions that have one slot one after another. */
  generationAt(offset: number): number {
    return this.firstGeneration + (this.ints[offset * intsPerSlot + atGeneration] as number)
  }

  recordAt(offset: number): unknown {
    return this.records?.[offset]
  }

  setRecordAt(offset: number, record: unknown): void {
    // As long as the page from the beginning: V8 makes a dictionary of an array that is filled from its far end.
    this.records ??= new Array(this.capacity)
    this.records[offset] = record
  }

  setHashAt(offset: number, hash: number): void {
    this.hashes ??= allocateHashes(this)
    this.hashes[offset] = hash
  }

  /** The place of a slot that is free, and no longer is; the page is not full. */
  allocate(): number {
    const offset = this.freeHead
    if (offset < 0) {
      this.nextUnused += 1
      return this.nextUnused - 1
    }
    this.freeHead = this.ints[offset * intsPerSlot + atNext] as number
    this.freeCount -= 1
    return offset
  }

  free(offset: number): void {
    const { ints } = this
    ints[offset * intsPerSlot + atNext] = this.freeHead
    ints[offset * intsPerSlot + atGeneration] = (ints[offset * intsPerSlot + atGeneration] as number) + 1
    this.freeHead = offset
    this.freeCount += 1
    // A value must not stay in memory because its place is kept.
    const at = offset * refsPerSlot
    this.refs[at + atId] = undefined
    this.refs[at + atValue] = undefined
    if (this.records !== undefined) this.records[offset] = undefined
  }
}

/** Behind the rest in a page of full size. A registry that has only smaller ones mostly never wants a hash. */
function allocateHashes({ capacity, times }: SlotPage): Int32Array {
  return capacity < slotsPerPage
    ? new Int32Array(capacity)
    : new Int32Array(times.buffer, capacity * (timesBytes + floatsBytes))
}
