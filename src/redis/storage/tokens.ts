import { randomFillSync } from 'node:crypto'

/** Random bytes for the next names: filling many at once costs a tenth of filling them one by one. */
const pool = Buffer.alloc(256 * 16)
let used = pool.length

/**
 * Returns a unique name for an incarnation, a lock or an operation: 128 random bits. 22 characters, since
 * sets and hashes are full of them.
 */
export function newToken(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.toString('base64url', used - 16, used)
}

/** The length of {@link newToken}. */
export const tokenLength = 22
