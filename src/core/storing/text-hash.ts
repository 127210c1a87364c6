import { createHash } from 'node:crypto'

/**
 * Returns the key under which stores keep what belongs to a text: 64 hexadecimal digits.
 *
 * The digest is over UTF-16 units, since UTF-8 has one byte sequence for all lone surrogates. The digits are
 * safe as a file name and as a key of any database, whatever the text contains and however long it is.
 */
export function hashText(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex')
}
