import { randomUUID } from 'node:crypto'

/** A name that nobody else has: of a life, a lock, an operation. 22 characters, for it stands in every queue. */
export function newName(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
}

/** The length of {@link newName}. */
export const nameLength = 22
