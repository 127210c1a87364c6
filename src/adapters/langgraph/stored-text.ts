import { Buffer } from 'node:buffer'
import { type ChainPlace, linksOf, placeAfter } from './delta-chain.ts'
import { cutJson } from './json-text.ts'
import type { Packed } from './packed.ts'

/**
 * A packed value as a thread keeps it: what is new in it, and how much of another, its base, it begins with.
 *
 * A list that has only grown begins with what it was before, so a thread grows with what was said and not
 * with its square. It is a chain of deltas, as version control keeps files. Its text never changes, so that
 * many may share it.
 */
export interface StoredText extends ChainPlace {
  readonly type: string
  readonly isBinary: boolean
  /** How many UTF-16 units of the base's text it begins with. */
  readonly kept: number
  /** The rest of the text, in pieces: an equal one of another value is the same string. */
  readonly pieces: readonly string[]
}

/** A shorter beginning is not worth a reference to the base. */
const minPrefixLength = 64

/** What one more link of the chain takes in memory, about. */
const linkOverhead = 64

/**
 * How much of a chain may be of no use to its end, as a multiple of the text.
 *
 * What was taken out of the middle of a list is still held by the chain. Past this it is written whole.
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
 * `base`: a value that it may begin like; it need not. `near`: returns pieces that it may have in common with
 * others, each under itself, and the more of them if it shares no beginning.
 */
export function store(
  { type, isBinary, text }: Packed,
  base: StoredText | undefined,
  piecesNearby: (isWhole: boolean) => ReadonlyMap<string, string>,
): StoredText {
  const kept = base === undefined ? 0 : prefixLengthOf(base, text)
  const isWhole = kept === 0
  const pieces = cutJson(text.slice(kept))
  // One piece alone is a number, a word, an empty list: nothing is won.
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

/** How much of the base's text a text begins with, where that is worth it. */
function prefixLengthOf(base: StoredText, text: string): number {
  // A list that has lost most of its entries is not looked at any closer.
  if (text.length < textLengthOf(base) / 2) return 0
  const before = textOf(base)
  const kept = commonPrefixLength(before, text)
  // Most of one of the two. Lists of messages begin alike, even if they have no message in common.
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

/** The length of what two texts begin alike with. */
function commonPrefixLength(a: string, b: string): number {
  // A list that has grown is the same up to its end.
  let equal = contentEnd(a)
  if (!b.startsWith(a.slice(0, equal))) equal = 0
  // By halves: the engine compares long texts faster than a loop over their units does.
  let end = Math.min(a.length, b.length)
  while (equal < end) {
    const middle = (equal + end + 1) >> 1
    if (b.startsWith(a.slice(equal, middle), equal)) equal = middle
    else end = middle - 1
  }
  // Not between the halves of a pair.
  return isHighSurrogate(a.charCodeAt(equal - 1)) ? equal - 1 : equal
}

/** Where the brackets begin that close all the rest. */
function contentEnd(text: string): number {
  let end = text.length
  while (text[end - 1] === ']' || text[end - 1] === '}') end -= 1
  return end
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}

/** A copy. A part of a text keeps the whole of it in memory. */
function detachString(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
