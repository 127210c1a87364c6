import type { EndReason } from '../../core/end-reason.ts'
import type { GoneSession } from '../../core/gone-session.ts'
import { KeyedHash } from './keyed-hash.ts'

export interface TombstoneOptions {
  readonly tombstoneMs: number
  readonly maxTombstones: number
}

const reasons: readonly EndReason[] = ['idle', 'age', 'capacity', 'deleted', 'replaced', 'closed']

/** Bits of what is kept beside the hash of an id: the reason, two flags, and the rest of the owner's hash. */
const reasonMask = 7
const hasOwner = 8
/** An entry that was overwritten, by a newer one of its id or in its place. */
const isRemoved = 16
const ownerMask = ~31

/** Fewest entries that memory is reserved for. */
const minCapacity = 64

/**
 * What is left of sessions that have ended: keyed hashes, when and why, in a ring of the last
 * `maxTombstones`.
 *
 * ```
 *   ring    │ id hash 8 │ endedAt 8 │ owner hash and flags 4 │   20 bytes each, in arrays of numbers
 *   index   an open-addressing hash table of places in the ring: 4 bytes a cell, at most three cells each
 * ```
 *
 * So a tombstone takes 32 bytes at the most, and names neither an id nor an owner.
 */
export class Tombstones {
  readonly #hash = new KeyedHash()
  readonly #tombstoneMs: number
  readonly #maxTombstones: number
  #capacity = 0
  #highs = new Uint32Array(0)
  #lows = new Uint32Array(0)
  #endedAts = new Float64Array(0)
  #details = new Int32Array(0)
  /** Places in the ring plus one; zero is an empty cell. */
  #cells = new Int32Array(0)
  /** The number of entries that were ever added: the next place is this modulo the capacity. */
  #added = 0
  /** Cells that are in use, of removed entries too. */
  #usedCells = 0

  constructor({ tombstoneMs, maxTombstones }: TombstoneOptions) {
    this.#tombstoneMs = tombstoneMs
    this.#maxTombstones = maxTombstones
  }

  /** Whether any is kept. */
  get isEnabled(): boolean {
    return this.#tombstoneMs > 0
  }

  /** Keeps that a session has ended. Of several of one id, the one that ended last is kept. */
  add(id: string, owner: string | undefined, { reason, endedAt }: GoneSession): void {
    if (!this.isEnabled) return
    const ownerBits = owner === undefined ? 0 : this.#ownerBits(owner)
    this.#hash.digest(id)
    const { high, low } = this.#hash
    const existing = this.#find(high, low)
    if (existing >= 0) {
      if ((this.#endedAts[existing] as number) > endedAt) return
      this.#details[existing] = isRemoved
    }
    this.#reserve()
    const place = this.#added % this.#capacity
    this.#added += 1
    this.#highs[place] = high
    this.#lows[place] = low
    this.#endedAts[place] = endedAt
    this.#details[place] = reasons.indexOf(reason) | ownerBits
    this.#insertCell(place)
  }

  /**
   * Returns why the session of an id is gone, if that is kept; with `owner`, if it belonged to that owner.
   * `now`: epoch milliseconds.
   */
  find(id: string, owner: string | undefined, now: number): GoneSession | undefined {
    if (this.#added === 0) return undefined
    this.#hash.digest(id)
    const place = this.#find(this.#hash.high, this.#hash.low)
    if (place < 0) return undefined
    const endedAt = this.#endedAts[place] as number
    if (!this.isKept(endedAt, now)) return undefined
    const details = this.#details[place] as number
    if (owner !== undefined && (details & (ownerMask | hasOwner)) !== this.#ownerBits(owner)) return undefined
    return { reason: reasons[details & reasonMask] as EndReason, endedAt }
  }

  /** Whether a session that ended at this time is still told of. */
  isKept(endedAt: number, now: number): boolean {
    return now - endedAt < this.#tombstoneMs
  }

  #ownerBits(owner: string): number {
    this.#hash.digest(owner)
    return (this.#hash.high & ownerMask) | hasOwner
  }

  /** Returns the place of an entry, or -1. */
  #find(high: number, low: number): number {
    const { length } = this.#cells
    if (length === 0) return -1
    for (let cell = low & (length - 1); ; cell = (cell + 1) & (length - 1)) {
      const place = (this.#cells[cell] as number) - 1
      if (place < 0) return -1
      const isSame = this.#highs[place] === high && this.#lows[place] === low
      if (isSame && !this.#isRemoved(place)) return place
    }
  }

  #insertCell(place: number): void {
    const { length } = this.#cells
    let cell = (this.#lows[place] as number) & (length - 1)
    while (this.#cells[cell] !== 0) cell = (cell + 1) & (length - 1)
    this.#cells[cell] = place + 1
    this.#usedCells += 1
  }

  /** Makes room for one more entry: the ring grows up to its limit, and then overwrites its oldest entry. */
  #reserve(): void {
    if (this.#added >= this.#capacity && this.#capacity < this.#maxTombstones) this.#grow()
    // The place is about to be another's. Its cell would lead to the wrong entry.
    if (this.#added >= this.#capacity) this.#details[this.#added % this.#capacity] = isRemoved
    if ((this.#usedCells + 1) * 4 > this.#cells.length * 3) this.#rebuildCells()
  }

  #grow(): void {
    const capacity = Math.min(Math.max(this.#capacity * 2, minCapacity), this.#maxTombstones)
    this.#highs = grown(this.#highs, new Uint32Array(capacity))
    this.#lows = grown(this.#lows, new Uint32Array(capacity))
    this.#endedAts = grown(this.#endedAts, new Float64Array(capacity))
    this.#details = grown(this.#details, new Int32Array(capacity))
    this.#capacity = capacity
    this.#rebuildCells()
  }

  /** Drops the cells of removed entries. */
  #rebuildCells(): void {
    let length = 1
    while (length < this.#capacity * 1.5) length *= 2
    this.#cells = new Int32Array(length)
    this.#usedCells = 0
    const count = Math.min(this.#added, this.#capacity)
    for (let place = 0; place < count; place += 1) if (!this.#isRemoved(place)) this.#insertCell(place)
  }

  #isRemoved(place: number): boolean {
    return ((this.#details[place] as number) & isRemoved) !== 0
  }
}

function grown<A extends Uint32Array | Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
