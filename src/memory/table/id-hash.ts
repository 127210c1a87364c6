/** Of a longer id not every character counts, so that a hash of one takes no longer than this. */
const maxLooked = 128

/**
 * 32 bits of an id. All of it counts up to 128 characters; of a longer one the last 64, where counters stand, and 64 at
 * most of what is before them, spread over all of that.
 *
 * Two sums of every other character, so that one need not wait for the other. The end is what MurmurHash3 does
 * (Austin Appleby, public domain), so that each bit depends on each character.
 */
export function hashOf(id: string, seed: number): number {
  const { length } = id
  const tail = length <= maxLooked ? 0 : length - maxLooked / 2
  let even = seed ^ length
  let odd = ~seed
  let at = length - 1
  for (; at > tail; at -= 2) {
    even = Math.imul(even ^ id.charCodeAt(at), 0x01000193)
    odd = Math.imul(odd ^ id.charCodeAt(at - 1), 0x01000193)
  }
  if (at === tail) even = Math.imul(even ^ id.charCodeAt(at), 0x01000193)
  if (tail > 0) {
    const step = Math.ceil(tail / (maxLooked / 2))
    for (at = tail - 1; at >= 0; at -= step) odd = Math.imul(odd ^ id.charCodeAt(at), 0x01000193)
  }
  let hash = even ^ Math.imul(odd, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
