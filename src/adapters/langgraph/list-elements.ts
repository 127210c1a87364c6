import { baseOf } from './delta-chain.ts'
import { elementEnds } from './json-text.ts'
import type { Packed } from './packed.ts'
import { isAsIn, isTransparent, type Snapshot, takeSnapshot } from './snapshot.ts'
import { type StoredText, sharedLengths, textLengthOf } from './stored-text.ts'

/** An element of a list: its text, and where that is stored. */
interface StoredElement {
  /** The live element when it had the text. */
  readonly snapshot: Snapshot
  readonly text: string
  readonly list: StoredText
  /** The index of its text in that of the list. */
  readonly start: number
}

/**
 * By live element. It lives no longer than that, so that a thread whose graph does not run holds nothing
 * here.
 */
const storedElements = new WeakMap<object, StoredElement>()

/** An element that is about to be stored. */
interface Element {
  readonly live: object
  readonly snapshot: Snapshot
  /** Empty until it is serialised. */
  text: string
  /** Where it is stored already, if it is unchanged since then. */
  readonly stored: StoredElement | undefined
}

/**
 * Returns the elements of a list whose forms are known; `undefined` if one is not an object, or its form
 * depends on more than a snapshot contains.
 *
 * Every element is compared with what was stored of it: a message that was changed in place must be stored as
 * it is now.
 */
export function elementsOf(list: readonly unknown[]): Element[] | undefined {
  // A class of lists may have a form of its own.
  if (!isTransparent(list)) return undefined
  const elements: Element[] = []
  for (const live of list) {
    if (typeof live !== 'object' || live === null) return undefined
    const stored = storedElements.get(live)
    if (stored !== undefined && isAsIn(stored.snapshot, live)) {
      elements.push({ live, snapshot: stored.snapshot, text: stored.text, stored })
    } else {
      const snapshot = takeSnapshot(live, list)
      if (snapshot === undefined) return undefined
      elements.push({ live, snapshot, text: '', stored: undefined })
    }
  }
  return elements
}

/** Remembers where the elements of a list are stored that was made of its stored text. */
export function rememberElements(list: readonly unknown[], text: string, stored: StoredText): void {
  const ends = elementEnds(text)
  if (ends.length !== list.length) return
  let start = 1
  for (const [index, live] of list.entries()) {
    const end = ends[index] ?? 0
    const snapshot = typeof live === 'object' && live !== null ? takeSnapshot(live, list) : undefined
    if (snapshot !== undefined) {
      storedElements.set(live as object, { snapshot, text: text.slice(start, end), list: stored, start })
    }
    start = end + 1
  }
}

/**
 * A packed list. An element that is unchanged since it was stored is not serialised again, and the text of a
 * list that has only grown is not looked at.
 */
export class PackedList implements Packed {
  readonly type = 'json'
  readonly isBinary = false
  readonly #elements: readonly Element[]
  /** The number of first elements that are stored in the base. */
  #sharedCount = 0
  #text: string | undefined

  constructor(elements: readonly Element[]) {
    this.#elements = elements
  }

  get text(): string {
    this.#text ??= `[${this.#elements.map(({ text }) => text).join()}]`
    return this.#text
  }

  /**
   * Returns the text that follows the elements of a base; `undefined` if the list does not begin with all of
   * them, or that is not known.
   */
  additionsTo(base: StoredText): string | undefined {
    const length = textLengthOf(base)
    const sharedWith = sharedLengths(base)
    let start = 1
    let count = 0
    for (const { text, stored } of this.#elements) {
      if (start === length) break
      // Texts at the same place in a part that both lists share.
      if (stored === undefined || stored.start !== start) return undefined
      if (start + text.length > sharedWith(stored.list)) return undefined
      start += text.length + 1
      count += 1
    }
    if (count === 0 || start !== length) return undefined
    this.#sharedCount = count
    return `${this.#elements
      .slice(count)
      .map(({ text }) => `,${text}`)
      .join('')}]`
  }

  /** Remembers where the elements are stored. */
  rememberIn(list: StoredText): void {
    const first = baseOf(list) === undefined ? 0 : this.#sharedCount
    let start = 1
    for (const [index, { live, snapshot, text }] of this.#elements.entries()) {
      if (index >= first) storedElements.set(live, { snapshot, text, list, start })
      start += text.length + 1
    }
  }
}
