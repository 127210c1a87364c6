import type { StoredText } from './stored-text.ts'

/**
 * The place of a stored text in a chain, in which each text is the base of the next.
 *
 * A list and a number, not a reference to the base: a thread of thousands of steps would be nested as deep,
 * and neither `structuredClone` nor a serializer of V8 copies that.
 */
export interface ChainPlace {
  /** The texts before this one, and perhaps others after them; `undefined` where there are none. */
  readonly chain: StoredText[] | undefined
  /** How many texts of the chain are before this one. */
  readonly place: number
}

/** Returns the place of a text whose base this is. */
export function placeAfter(base: StoredText | undefined): ChainPlace {
  if (base === undefined) return { chain: undefined, place: 0 }
  const { chain = [], place } = base
  if (chain.length === place) chain.push(base)
  // A fork: another text has this place in the chain.
  if (chain[place] !== base) return { chain: [...chain.slice(0, place), base], place: place + 1 }
  return { chain, place: place + 1 }
}

export function baseOf({ chain, place }: StoredText): StoredText | undefined {
  return chain?.[place - 1]
}

/** A stored text, its base, the base of that, and so on. */
export function* linksOf(stored: StoredText): Generator<StoredText> {
  yield stored
  const { chain = [], place } = stored
  for (let index = place - 1; index >= 0; index -= 1) {
    const link = chain[index]
    if (link !== undefined) yield link
  }
}
