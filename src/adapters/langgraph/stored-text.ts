import { type ChainPlace, linksOf } from './delta-chain.ts'
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

/** Returns the length of a stored text, in UTF-16 units. */
export function textLengthOf({ kept, pieces }: StoredText): number {
  return pieces.reduce((length, piece) => length + piece.length, kept)
}

/**
 * Returns a function that returns how much of a text another one begins with, in UTF-16 units: for the text
 * itself all, for one before it in its chain what all between have kept of it, else 0.
 */
export function sharedLengths(stored: StoredText): (other: StoredText) => number {
  const { chain = [], place, kept } = stored
  const keptAfter: number[] = []
  let least = kept
  for (let index = place - 1; index >= 0; index -= 1) {
    keptAfter[index] = least
    least = Math.min(least, chain[index]?.kept ?? 0)
  }
  return (other) => {
    if (other === stored) return textLengthOf(stored)
    return chain[other.place] === other ? (keptAfter[other.place] ?? 0) : 0
  }
}
