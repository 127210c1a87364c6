import { randomFillSync } from 'node:crypto'

/**
 * A keyed hash of 64 bits, as two numbers of 32.
 *
 * The key is random and of one process, so neither can clients choose ids that collide, nor does a hash that
 * is kept in memory name an id to one who does not have the key. It is the loop of FNV-1a with keys in place
 * of its constants (Fowler, Noll, Vo), and the end of MurmurHash3 (Austin Appleby, public domain).
 */
export class KeyedHash {
  readonly #keys = randomFillSync(new Uint32Array(4))
  high = 0
  low = 0

  /** Computes {@link high} and {@link low} of a text. */
  digest(text: string): void {
    const [first = 0, second = 0, third = 0, fourth = 0] = this.#keys
    const { length } = text
    let high = first ^ length
    let low = second ^ length
    for (let at = 0; at < length; at += 1) {
      const unit = text.charCodeAt(at)
      high = Math.imul(high ^ (unit + third), 0x01000193) ^ (low >>> 15)
      low = Math.imul(low ^ (unit + fourth), 0x85ebca6b) ^ (high >>> 13)
    }
    this.high = mix(high ^ fourth)
    this.low = mix(low ^ third)
  }
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
