/** Up to here one `Map` is the fastest, and grows within a few milliseconds. */
const maxInOneMap = 2 ** 17

/** At 10 000 000 entries each part still holds fewer than {@link maxInOneMap}. */
const partCount = 256

/** More than come in with one insertion, so that the move ends; few, so that no insertion is slow. */
const movesPerInsertion = 2

/**
 * Entries by id, for any number of them: a `Map`, which becomes many where it would get large.
 *
 * V8 copies a `Map` as it doubles or halves, and holds the event loop for all of it: hundreds of milliseconds at some
 * millions of entries. It also ends at 2²⁴. So when one `Map` is full its entries move, a few with each insertion, to
 * one of 256 parts by a hash of their ids. Until then nothing is hashed.
 */
export class SessionIndex<V> {
  /** All entries, and after the growth those that have not moved yet. */
  #whole = new Map<string, V>()
  #parts: Map<string, V>[] | undefined = undefined
  /** What is still to be moved. */
  #moving: IterableIterator<[string, V]> | undefined = undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: string): V | undefined {
    if (this.#parts === undefined) return this.#whole.get(id)
    const value = partOf(this.#parts, id).get(id)
    return value === undefined && this.#moving !== undefined ? this.#whole.get(id) : value
  }

  /** Adds an entry. There is none of this id. */
  add(id: string, value: V): void {
    this.#size += 1
    if (this.#parts === undefined) {
      this.#whole.set(id, value)
      if (this.#size >= maxInOneMap) this.#grow()
      return
    }
    partOf(this.#parts, id).set(id, value)
    if (this.#moving !== undefined) this.#move(this.#parts, this.#moving)
  }

  delete(id: string): void {
    if (this.#parts === undefined) {
      if (this.#whole.delete(id)) this.#size -= 1
    } else if (partOf(this.#parts, id).delete(id) || this.#whole.delete(id)) {
      this.#size -= 1
      if (this.#size === 0) this.#reset()
    }
  }

  /** All values; where they are in one `Map`, in order of insertion. */
  values(): V[] {
    const values = [...this.#whole.values()]
    for (const part of this.#parts ?? []) for (const value of part.values()) values.push(value)
    return values
  }

  #grow(): void {
    this.#parts = Array.from({ length: partCount }, () => new Map<string, V>())
    this.#moving = this.#whole.entries()
  }

  #move(parts: Map<string, V>[], moving: IterableIterator<[string, V]>): void {
    for (let moved = 0; moved < movesPerInsertion; moved += 1) {
      const next = moving.next()
      if (next.done === true) {
        this.#whole = new Map()
        this.#moving = undefined
        return
      }
      const [id, value] = next.value
      this.#whole.delete(id)
      partOf(parts, id).set(id, value)
    }
  }

  #reset(): void {
    this.#whole = new Map()
    this.#parts = undefined
    this.#moving = undefined
  }
}

/**
 * Eight to fifteen characters from all over the id: ids that differ only in front, in the middle or at the end are spread.
 *
 * Ids that are made to fall into one part only make that part a large `Map`; a look-up in it costs no more.
 */
function partOf<V>(parts: readonly Map<string, V>[], id: string): Map<string, V> {
  const step = Math.max(1, id.length >>> 3)
  let hash = id.length
  for (let at = id.length - 1; at >= 0; at -= step) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  return parts[(hash ^ (hash >>> 15)) & (partCount - 1)] as Map<string, V>
}
