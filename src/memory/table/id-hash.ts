/** Of a longer id so many characters at least are looked at, spread over all of it. */
const maxLooked = 64

/**
 * 32 bits of an id. All of it counts up to 127 characters, and beyond that every second, third, … of them.
 *
 * Two sums of every other pair of characters, so that one need not wait for the other. The end is what MurmurHash3 does
 * (Austin Appleby, public domain), so that each bit depends on each character.
 */
export function hashOf(id: string, seed: number): number {
  const { length } = id
  const step = length < maxLooked * 2 ? 1 : Math.floor(length / maxLooked)
  let even = seed ^ length
  let odd = ~seed
  let at = length - 1
  for (; at >= step; at -= 2 * step) {
    even = Math.imul(even ^ id.charCodeAt(at), 0x01000193)
    odd = Math.imul(odd ^ id.charCodeAt(at - step), 0x01000193)
  }
  if (at >= 0) even = Math.imul(even ^ id.charCodeAt(at), 0x01000193)
  let hash = even ^ Math.imul(odd, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
