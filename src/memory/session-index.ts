/** Up to here one `Map` is the fastest, and grows within a few milliseconds. */
const maxInOneMap = 2 ** 18

/**
 * At 10 000 000 entries each part is still smaller than {@link maxInOneMap}. More parts would be small ones for longer,
 * and V8 copies small tables about while it collects garbage.
 */
const partCount = 64

/**
 * Entries by id, for any number of them: a `Map`, and many where one would get large.
 *
 * V8 copies a `Map` as it doubles or halves, and holds the event loop for all of it: hundreds of milliseconds at some
 * millions of entries. It also ends at 2²⁴. So when the first `Map` is full, what comes is put into one of 64 by a hash
 * of its id. What is in the first moves over when it is next looked up; what nobody looks up may as well stay.
 */
export class SessionIndex<V> {
  #first = new Map<string, V>()
  #parts: Map<string, V>[] | undefined = undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: string): V | undefined {
    if (this.#parts === undefined) return this.#first.get(id)
    const part = partOf(this.#parts, id)
    const value = part.get(id)
    return value === undefined && this.#first.size > 0 ? this.#moveTo(part, id) : value
  }

  /** Adds an entry. There is none of this id. */
  add(id: string, value: V): void {
    this.#size += 1
    if (this.#parts !== undefined) {
      partOf(this.#parts, id).set(id, value)
    } else {
      this.#first.set(id, value)
      if (this.#size >= maxInOneMap) this.#parts = Array.from({ length: partCount }, () => new Map())
    }
  }

  delete(id: string): void {
    // Sessions tend to end in the order in which they came: what is still in the first `Map` is looked for there.
    const isDeleted =
      (this.#first.size > 0 && this.#first.delete(id)) ||
      (this.#parts !== undefined && partOf(this.#parts, id).delete(id))
    if (!isDeleted) return
    this.#size -= 1
    if (this.#size === 0) this.#parts = undefined
  }

  /** All values; where there is one `Map`, in order of insertion. */
  values(): V[] {
    const values = [...this.#first.values()]
    for (const part of this.#parts ?? []) for (const value of part.values()) values.push(value)
    return values
  }

  #moveTo(part: Map<string, V>, id: string): V | undefined {
    const value = this.#first.get(id)
    if (value === undefined) return undefined
    this.#first.delete(id)
    part.set(id, value)
    return value
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
