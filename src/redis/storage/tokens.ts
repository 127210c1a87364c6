import { randomUUID } from 'node:crypto'

/**
 * Returns a unique name for an incarnation, a lock or an operation. 22 characters, since sets and hashes are
 * full of them.
 */
export function newToken(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
}

/** The length of {@link newToken}. */
export const tokenLength = 22
