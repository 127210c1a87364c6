import { linksOf, placeAfter } from './delta-chain.ts'
import { detachString } from './detach-string.ts'
import { cutJson } from './json-text.ts'
import { PackedList } from './list-elements.ts'
import type { Packed } from './packed.ts'
import { readStored, type StoredText, textLengthOf } from './stored-text.ts'

/** Shortest common prefix, in UTF-16 units, that is worth a reference to the base. */
const minPrefixLength = 64

/** About the memory of one more link of the chain, in bytes. */
const linkOverhead = 64

/**
 * The largest length of a chain, as a multiple of the text at its end. A chain keeps what was removed from
 * the middle of a list; past this limit the text is stored whole.
 */
const maxWaste = 2

/**
 * Returns a packed value as it is stored.
 *
 * `base` is a value that it may begin with. `piecesNearby` returns pieces that it may share, by themselves,
 * and more of them if it shares no prefix.
 */
export function store(
  packed: Packed,
  base: StoredText | undefined,
  piecesNearby: (isWhole: boolean) => ReadonlyMap<string, string>,
): StoredText {
  const { kept, rest } = differenceFrom(base, packed)
  const isWhole = kept === 0
  const { chain, place } = placeAfter(isWhole ? undefined : base)
  return {
    type: packed.type,
    isBinary: packed.isBinary,
    chain,
    place,
    kept,
    pieces: sharedPieces(rest, () => piecesNearby(isWhole)),
  }
}

/** The pieces of the values that nearly every step has, such as that of a branch. */
const commonPieces = new Map(['null', '[]', '{}', '""', 'true', 'false'].map((text) => [text, [text]]))

function sharedPieces(text: string, piecesNearby: () => ReadonlyMap<string, string>): readonly string[] {
  const common = commonPieces.get(text)
  if (common !== undefined) return common
  const pieces = cutJson(text)
  // A single piece is a number or a word: looking for it would gain nothing.
  const known = pieces.length > 1 ? piecesNearby() : undefined
  return pieces.map((piece) => known?.get(piece) ?? detachString(piece))
}

interface Difference {
  /** The number of UTF-16 units of the base's text that a text begins with; 0 if they are not worth it. */
  readonly kept: number
  readonly rest: string
}

function differenceFrom(base: StoredText | undefined, packed: Packed): Difference {
  if (base === undefined) return { kept: 0, rest: packed.text }
  const { kept, rest } = growthFrom(base, packed) ?? textDifference(base, packed.text)
  const length = kept + rest.length
  // Most of one of the two: lists of messages begin alike, even without a common message.
  const isWorthIt = kept >= minPrefixLength && kept >= Math.min(textLengthOf(base), length) / 2
  return isWorthIt && retainedLength(base) + rest.length <= maxWaste * length + 4_096
    ? { kept, rest }
    : { kept: 0, rest: packed.text }
}

/** Returns the difference of a list that is known to have only grown. */
function growthFrom(base: StoredText, packed: Packed): Difference | undefined {
  const rest = packed instanceof PackedList ? packed.additionsTo(base) : undefined
  return rest === undefined ? undefined : { kept: textLengthOf(base) - 1, rest }
}

function textDifference(base: StoredText, text: string): Difference {
  // A list that has lost most of its entries is not compared.
  const kept = text.length < textLengthOf(base) / 2 ? 0 : commonPrefixLength(readStored(base).text, text)
  return { kept, rest: text.slice(kept) }
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
