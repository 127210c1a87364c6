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

/**
 * Slots of the first page, which is made with the registry: enough that few pages are made, each of which
 * takes long.
 */
const slotsInFirstPage = 512

/**
 * Returns the number of slots of a page: as many as all before it have, so memory is at most twice what is
 * needed.
 */
export function capacityOf(index: number): number {
  return index === 0 ? slotsInFirstPage : Math.min(slotsPerPage, slotsInFirstPage * 2 ** (index - 1))
}

/**
 * The memory of a block of slots: their numbers in one buffer, what they refer to in arrays. `layout.ts`
 * draws it.
 *
 * What a touch reads and writes lies together, apart from the rest, so that more of it is in the processor's
 * caches.
 */
export class SlotPage {
  // Declared only: V8 then knows their types from the first use.
  declare readonly times: Float64Array
  declare readonly floats: Float64Array
  declare readonly ints: Int32Array
  declare readonly refs: unknown[]
  /** Records by offset; made when the first slot has one, since most never do. */
  declare records: unknown[] | undefined
  /** Hashes of ids by offset; made when the first slot has one, since a `Map` needs none. */
  declare hashes: Int32Array | undefined
  declare readonly capacity: number
  /** The generation of slots that were never freed. */
  declare readonly firstGeneration: number
  /** The offset of the first slot that was never used. */
  declare nextUnused: number
  /**
   * The offset of the slot that was freed last; `-1` for none. From there a chain leads on through `next`.
   */
  declare freeHead: number
  /** The number of slots in that chain. */
  declare freeCount: number

  constructor(capacity: number, firstGeneration: number) {
    // One buffer, since each costs as much as a dozen creations, and may cost a step of marking while V8
    // collects.
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

  generationAt(offset: number): number {
    return this.firstGeneration + (this.ints[offset * intsPerSlot + atGeneration] as number)
  }

  recordAt(offset: number): unknown {
    return this.records?.[offset]
  }

  setRecordAt(offset: number, record: unknown): void {
    // Of full length from the start: V8 turns an array that is filled from its far end into a dictionary.
    this.records ??= new Array(this.capacity)
    this.records[offset] = record
  }

  setHashAt(offset: number, hash: number): void {
    this.hashes ??= allocateHashes(this)
    this.hashes[offset] = hash
  }

  /** Returns the offset of a free slot, which then is in use. The page is not full. */
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
    // A value must not stay in memory because its slot does.
    const at = offset * refsPerSlot
    this.refs[at + atId] = undefined
    this.refs[at + atValue] = undefined
    if (this.records !== undefined) this.records[offset] = undefined
  }
}

/**
 * Places the hashes behind the rest in a page of full size. Smaller pages rarely need them, and have no room.
 */
function allocateHashes({ capacity, times }: SlotPage): Int32Array {
  return capacity < slotsPerPage
    ? new Int32Array(capacity)
    : new Int32Array(times.buffer, capacity * (timesBytes + floatsBytes))
}
