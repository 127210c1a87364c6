import { randomUUID } from 'node:crypto'

/**
 * A name that nobody else has: of a life, a lock, an operation. 22 characters, for it stands in every queue.
 */
export function newToken(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
}

/** The length of {@link newToken}. */
export const tokenLength = 22
