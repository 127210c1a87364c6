import { Buffer } from 'node:buffer'

/** Returns a copy: a slice would keep the whole text in memory, and a concatenation its parts. */
export function detachString(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
