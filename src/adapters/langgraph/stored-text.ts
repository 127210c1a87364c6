import { Buffer } from 'node:buffer'
import { type ChainPlace, linksOf, placeAfter } from './delta-chain.ts'
import { cutJson } from './json-text.ts'
import type { Packed } from './packed.ts'

/**
 * A packed value in a thread: how much of another value, its base, it begins with, and the rest.
 *
 * A list that has only grown begins with its previous text, so a thread grows with its messages, not with
 * their square. It is a chain of deltas, as in version control. Its text never changes, so that it can be
 * shared.
 */
export interface StoredText extends ChainPlace<StoredText> {
  readonly type: string
  readonly isBinary: boolean
  /** The number of UTF-16 units of the base's text that it begins with. */
  readonly kept: number
  /** The rest of the text, in pieces; equal pieces of several values are the same string. */
  readonly pieces: readonly string[]
}

/** Shortest common prefix, in UTF-16 units, that is worth a reference to the base. */
const minPrefixLength = 64

/** About the memory of one more link of the chain, in bytes. */
const linkOverhead = 64

/**
 * The largest length of a chain, as a multiple of the text at its end. A chain keeps what was removed from
 * the middle of a list; past this limit the text is stored whole.
 */
const maxWaste = 2

/** Returns the packed value of a stored one. */
export function readStored(stored: StoredText): Packed {
  return { type: stored.type, isBinary: stored.isBinary, text: textOf(stored) }
}

function textOf(stored: StoredText): string {
  const parts: string[] = []
  let end = Number.POSITIVE_INFINITY
  for (const one of linksOf(stored)) {
    if (end > one.kept) {
      const rest = one.pieces.join('')
      parts.push(end === Number.POSITIVE_INFINITY ? rest : rest.slice(0, end - one.kept))
      end = one.kept
    }
  }
  return parts.reverse().join('')
}

/**
 * Returns a packed value as it is stored.
 *
 * `base` is a value that it may begin with. `piecesNearby` returns pieces that it may share, by themselves,
 * and more of them if it shares no prefix.
 */
export function store(
  { type, isBinary, text }: Packed,
  base: StoredText | undefined,
  piecesNearby: (isWhole: boolean) => ReadonlyMap<string, string>,
): StoredText {
  const kept = base === undefined ? 0 : prefixLengthOf(base, text)
  const isWhole = kept === 0
  const pieces = cutJson(text.slice(kept))
  // A single piece is a number, a word, an empty list: sharing it gains nothing.
  const known = pieces.length > 1 ? piecesNearby(isWhole) : undefined
  const { chain, place } = placeAfter(isWhole ? undefined : base)
  return {
    type,
    isBinary,
    chain,
    place,
    kept,
    pieces: pieces.map((piece) => known?.get(piece) ?? detachString(piece)),
  }
}

/** Returns the length of the prefix that a text shares with its base; 0 if it is not worth it. */
function prefixLengthOf(base: StoredText, text: string): number {
  // A list that has lost most of its entries is not compared.
  if (text.length < textLengthOf(base) / 2) return 0
  const before = textOf(base)
  const kept = commonPrefixLength(before, text)
  // Most of one of the two: lists of messages begin alike, even without a common message.
  if (kept < minPrefixLength || kept < Math.min(before.length, text.length) / 2) return 0
  const retained = retainedLength(base) + text.length - kept
  return retained > maxWaste * text.length + 4_096 ? 0 : kept
}

function textLengthOf({ kept, pieces }: StoredText): number {
  return pieces.reduce((length, piece) => length + piece.length, kept)
}

function retainedLength(stored: StoredText): number {
  let retained = 0
  for (const { pieces } of linksOf(stored)) {
    retained += linkOverhead
    for (const piece of pieces) retained += piece.length
  }
  return retained
}

/** Returns the length of the common prefix of two texts. */
function commonPrefixLength(a: string, b: string): number {
  // A list that has grown is equal up to its end.
  let equal = contentEnd(a)
  if (!b.startsWith(a.slice(0, equal))) equal = 0
  // By bisection: the engine compares long texts faster than a loop over their units.
  let end = Math.min(a.length, b.length)
  while (equal < end) {
    const middle = (equal + end + 1) >> 1
    if (b.startsWith(a.slice(equal, middle), equal)) equal = middle
    else end = middle - 1
  }
  // Not inside a surrogate pair.
  return isHighSurrogate(a.charCodeAt(equal - 1)) ? equal - 1 : equal
}

/** Returns the index of the closing brackets at the end. */
function contentEnd(text: string): number {
  let end = text.length
  while (text[end - 1] === ']' || text[end - 1] === '}') end -= 1
  return end
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}

/** Returns a copy, since a slice keeps the whole text in memory. */
function detachString(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
