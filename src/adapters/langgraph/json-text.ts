const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** Returns the depth of nesting of a JSON text. */
export function nestingOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at)
        break
      case openList:
      case openObject:
        depth += 1
        if (depth > deepest) deepest = depth
        break
      case closeList:
      case closeObject:
        depth -= 1
        break
    }
  }
  return deepest
}

/** Returns the indexes after the elements of a list, given its JSON text. */
export function elementEnds(text: string): number[] {
  const ends: number[] = []
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at)
        break
      case openList:
      case openObject:
        depth += 1
        break
      case closeList:
      case closeObject:
        depth -= 1
        if (depth === 0) ends.push(at)
        break
      case comma:
        if (depth === 1) ends.push(at)
        break
    }
  }
  return ends
}

/**
 * Shortest string, in UTF-16 units, that is worth a piece of its own, which takes an entry in a list. UUIDs
 * are longer.
 */
const minStringLength = 32

/** The boundaries of an object in a list. */
const entryEnds = /(?<=[[,])(?=\{)|(?<=\})(?=,\{|\])/

/**
 * Cuts a JSON text at its long strings, and at the boundaries of objects in lists. The pieces joined are the
 * text.
 *
 * So each message text is a piece, and so is the text around it, which is alike in all messages. In other
 * text, the cuts are elsewhere and do no harm.
 */
export function cutJson(text: string): string[] {
  const pieces: string[] = []
  let done = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) {
    const from = at
    at = endOfString(text, from)
    if (at - from < minStringLength) continue
    if (from > done) pieces.push(...text.slice(done, from).split(entryEnds))
    pieces.push(text.slice(from, at + 1))
    done = at + 1
  }
  if (done < text.length) pieces.push(...text.slice(done).split(entryEnds))
  return pieces
}

/** Returns the index of the quote that ends the string at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes += 1
    if (escapes % 2 === 0) return at
  }
  return text.length
}
