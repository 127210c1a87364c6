import { createHash } from 'node:crypto'

/** Returns the digest of a text, by which two texts are compared without keeping them. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
