/**
 * The number of a slot, which is the place where the table keeps one session.
 *
 * It names that session until the session leaves the table; then another session gets the slot. A slot is
 * therefore good within one step only. Across steps a slot and its generation name one session together.
 */
export type Slot = number & { readonly [brand]: 'Slot' }
declare const brand: unique symbol

/**
 * The slot of no session. It is zero, which is what memory holds that nothing was written to: a free cell of
 * the hash index and a missing neighbour by age read as `noSlot`. The allocator takes slot zero first and
 * never hands it out.
 */
export const noSlot = 0 as Slot

/*
 * A slot in its page. The numbers of all slots of a page lie in one buffer, field group by field group; what
 * a slot refers to lies in arrays.
 *
 * ```
 *   slot     = index of the page << pageBits | offset in the page
 *
 *   byte     0            8            16     20     24     28     32
 *   times    │ lastActive │ nextCheckAt│                              all that a touch reads and writes
 *   floats   │ linkedTick │ created    │                              linkedTick: see timeout-queue.ts
 *   ints     │     the same memory     │ prev │ next │flags │ gen. │ flags: queue number << 1 | held
 *   hashes   │hash│                                                   in the hash index only
 *   refs     │ id         │ value      │                              references to objects
 *   records  │ record     │                                           made with the first of a page
 * ```
 *
 * Each constant stands apart: the build puts it where it is used only if no import, function or class stands
 * above it, and V8 would load the fields of an object at each touch.
 */

/** Bits of a slot that are its offset in the page, so a page has at most this power of two of slots. */
export const pageBits = 14
export const slotsPerPage = 1 << pageBits
export const offsetMask = slotsPerPage - 1

export const atLastActive = 0
export const atNextCheck = 1
export const timesPerSlot = 2

export const atLinkedTick = 0
export const atCreated = 1
export const floatsPerSlot = 4

export const atPrev = 4
export const atNext = 5
export const atFlags = 6
export const atGeneration = 7
export const intsPerSlot = 8

export const atId = 0
export const atValue = 1
export const refsPerSlot = 2

/**
 * Most sessions that the index keeps in one `Map`, which is the fastest up to here: V8 keeps the hash of a
 * string with it, and the `Map` still grows within a few milliseconds.
 */
export const maxInMap = 1 << 17

/**
 * Fewest sessions in the hash index: few enough to move into the `Map` at once, far enough below to make it
 * rare.
 */
export const minInHashIndex = 1 << 12

/**
 * Entries copied from the `Map` per insertion. A large batch ends the migration soon and uses the caches
 * better.
 */
export const migrationBatch = 512

/** Bits of a hash that choose the cell in a segment, so a segment has this power of two of cells. */
export const cellBits = 13
export const cellMask = (1 << cellBits) - 1

/** Cells that one look-up may visit: this many arrive with a few reads of memory. */
export const maxProbes = 64

/** Entries at which a segment is split. Above five eighths, probes become long. */
export const maxCount = (1 << cellBits) * 0.625

/** Most entries of two segments that are merged. The result can more than double before it is split again. */
export const maxCountToMerge = (1 << cellBits) * 0.25
