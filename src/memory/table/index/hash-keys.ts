import { randomFillSync } from 'node:crypto'

/**
 * Number of keys: two for the length of an id, one for each unit of the longest, and those that are read
 * beyond.
 */
const keyCount = 2 + 1024 + 6

/** The secret keys of a hash index. */
export type HashKeys = Int32Array

/** Returns new keys that cannot be guessed. `Math.random` can be predicted from a few of its numbers. */
export function newHashKeys(): HashKeys {
  return randomFillSync(new Int32Array(keyCount))
}
