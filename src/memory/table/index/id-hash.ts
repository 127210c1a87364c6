import type { HashKeys } from './hash-keys.ts'

/**
 * Returns 32 bits of an id, each of whose units counts.
 *
 * Clients choose ids, so no choice of ids may collide. This is multilinear hashing (Lemire and Kaser,
 * "Strongly universal string hashing is fast", 2014) of pairs of units. The upper 16 bits of such a sum are
 * as good as random without the keys. There are two sums, the second with keys shifted by a pair, as in UMAC
 * (RFC 4418), so two ids collide with a probability of about 2⁻³⁰, however they were chosen.
 *
 * The end is that of MurmurHash3 (Austin Appleby, public domain): each bit depends on both sums.
 */
export function hashOf(id: string, keys: HashKeys): number {
  const { length } = id
  let first = Math.imul(length, keys[0] as number)
  let second = Math.imul(length, keys[1] as number)
  let left = keys[2] as number
  let right = keys[3] as number
  let at = 0
  for (; at < length - 1; at += 2) {
    const unit = id.charCodeAt(at)
    const next = id.charCodeAt(at + 1)
    first = (first + Math.imul(left + unit, right + next)) | 0
    left = keys[at + 4] as number
    right = keys[at + 5] as number
    second = (second + Math.imul(left + unit, right + next)) | 0
  }
  if (at < length) {
    const unit = id.charCodeAt(at)
    first = (first + Math.imul(left + unit, right)) | 0
    second = (second + Math.imul((keys[at + 4] as number) + unit, keys[at + 5] as number)) | 0
  }
  let hash = (first & 0xffff0000) | (second >>> 16)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
