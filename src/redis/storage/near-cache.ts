import { detachString } from '../../core/ids/detach-string.ts'

/** A version of a session's value. */
export interface CachedText {
  readonly incarnation: string
  readonly version: string
  readonly text: string
}

/**
 * What the cache keeps at the most, in bytes: some hundred long histories, or some ten thousand short ones.
 */
const maxBytes = 32 * 1024 * 1024

/**
 * What an entry takes besides its characters: 200 bytes on 64-bit V8, and the slack of a `Map` that grows.
 */
const entryBytes = 320

/** What is left when a cache that is full has evicted. */
const evictionTarget = 7 / 8

/** V8 keeps a text with a character outside of Latin-1 in two bytes for each unit. */
const unitBytes = 2

/**
 * A cache of the texts that this process last saw, so that a large history that has not changed is not sent
 * again.
 *
 * It only saves transfer: each read asks Redis whether the version is still the current one. The least
 * recently used texts go first.
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
   * More than one at a time: the way to the oldest entry of a `Map` leads over all the places of those
   * deleted before.
   */
  #evict(): void {
    for (const oldest of this.#texts.keys()) {
      if (this.#bytes <= this.#maxBytes * evictionTarget) break
      this.delete(oldest)
    }
  }

  /** Forgets the text of one incarnation, which has ended; a later one of the id is kept. */
  forget({ id, incarnation }: { readonly id: string; readonly incarnation: string }): void {
    if (this.#texts.get(id)?.incarnation === incarnation) this.delete(id)
  }
}

function bytesOf(id: string, { text }: CachedText): number {
  return entryBytes + unitBytes * (id.length + text.length)
}
