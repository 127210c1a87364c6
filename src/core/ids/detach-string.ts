/** Shortest string, in UTF-16 units, that V8 keeps as a slice of its parent; a shorter one is copied. */
const minSliceLength = 13

/**
 * Returns an equal string that does not keep another one in memory.
 *
 * An id that was cut from a cookie header or a URL may be a slice, which keeps the whole header alive. It
 * cannot be recognised. A concatenation is copied when it is read.
 */
export function detachString(text: string): string {
  if (text.length < minSliceLength) return text
  const copy = text.slice(0, minSliceLength - 1) + text.slice(minSliceLength - 1)
  // Only this copies the units: a concatenation refers to its parts until it is read.
  copy.charCodeAt(0)
  return copy
}
