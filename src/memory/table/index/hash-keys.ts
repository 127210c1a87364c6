import { randomFillSync } from 'node:crypto'

/** Two keys for the length of an id, one for each unit of the longest, and the few that are read beyond those. */
const keyCount = 2 + 1024 + 6

/** The secret keys of a hash index. */
export type HashKeys = Int32Array

/** Makes keys that no one can guess: `Math.random` can be foretold from a few of its numbers. */
export function newHashKeys(): HashKeys {
  return randomFillSync(new Int32Array(keyCount))
}
