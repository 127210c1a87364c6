import { createHash } from 'node:crypto'

/**
 * Returns the key of an id or an owner in stores: 64 hexadecimal digits.
 *
 * The digest is over UTF-16 units, since UTF-8 encodes all lone surrogates alike. The digits are safe as a
 * file name and as a key of any database, whatever the text.
 */
export function hashText(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex')
}
