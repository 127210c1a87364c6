/**
 * The place of a stored text in a chain, where each text is the base of the next.
 *
 * An array and an index, not a reference to the base: a thread of thousands of steps would be nested as deep,
 * which neither `structuredClone` nor V8's serializer can copy.
 */
export interface ChainPlace<L> {
  /** The texts before this one, and perhaps others after it; `undefined` if there are none. */
  readonly chain: L[] | undefined
  /** The number of texts of the chain before this one. */
  readonly place: number
}

/** Returns the place of a text with this base. */
export function placeAfter<L extends ChainPlace<L>>(base: L | undefined): ChainPlace<L> {
  if (base === undefined) return { chain: undefined, place: 0 }
  const { chain = [], place } = base
  if (chain.length === place) chain.push(base)
  // A fork: another text has this place in the chain.
  if (chain[place] !== base) return { chain: [...chain.slice(0, place), base], place: place + 1 }
  return { chain, place: place + 1 }
}

export function baseOf<L>({ chain, place }: ChainPlace<L>): L | undefined {
  return chain?.[place - 1]
}

/** Iterates a stored text, its base, the base of that, and so on. */
export function* linksOf<L extends ChainPlace<L>>(stored: L): Generator<L> {
  yield stored
  const { chain = [], place } = stored
  for (let index = place - 1; index >= 0; index -= 1) {
    const link = chain[index]
    if (link !== undefined) yield link
  }
}
