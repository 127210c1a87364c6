import { detachString } from '../../core/ids/detach-string.ts'

/** A version of the value of a session, as text. */
export interface CachedText {
  readonly incarnation: string
  readonly version: string
  readonly text: string
}

/** The capacity of the cache in bytes: some hundred long histories, or ten thousands of short ones. */
const maxBytes = 32 * 1024 * 1024

/**
 * The size of an entry without its characters, in bytes: measured on 64-bit V8, with the slack of a growing
 * `Map`.
 */
const entryBytes = 320

/** The share that remains after an eviction. */
const evictionTarget = 7 / 8

/** Bytes per UTF-16 unit, since V8 keeps texts with characters outside of Latin-1 so. */
const unitBytes = 2

/**
 * A cache of the texts that this process last saw, so that a large history that has not changed is not sent
 * again.
 *
 * It only saves transfer: each read asks Redis whether the version is current. The least recently used texts
 * are evicted first.
 */
export class NearCache {
  readonly #texts = new Map<string, CachedText>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(bytes = maxBytes) {
    this.#maxBytes = bytes
  }

  get(id: string): CachedText | undefined {
    const cached = this.#texts.get(id)
    if (cached !== undefined) {
      this.#texts.delete(id)
      this.#texts.set(detachString(id), cached)
    }
    return cached
  }

  set(id: string, cached: CachedText): void {
    this.delete(id)
    const bytes = bytesOf(id, cached)
    if (bytes > this.#maxBytes) return
    this.#texts.set(detachString(id), cached)
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes) this.#evict()
  }

  delete(id: string): void {
    const cached = this.#texts.get(id)
    if (cached === undefined) return
    this.#bytes -= bytesOf(id, cached)
    this.#texts.delete(id)
  }

  /**
   * Evicts several at once: finding the oldest entry of a `Map` steps over all that were deleted before it.
   */
  #evict(): void {
    for (const oldest of this.#texts.keys()) {
      if (this.#bytes <= this.#maxBytes * evictionTarget) break
      this.delete(oldest)
    }
  }

  /** Forgets the text of an incarnation that has ended; that of a younger one of the id is kept. */
  forget({ id, incarnation }: { readonly id: string; readonly incarnation: string }): void {
    if (this.#texts.get(id)?.incarnation === incarnation) this.delete(id)
  }
}

function bytesOf(id: string, { text }: CachedText): number {
  return entryBytes + unitBytes * (id.length + text.length)
}
