/**
 * V8 copies what is cut from a string if it is shorter; a longer one points into the string that it was cut
 * from.
 */
const minSliceLength = 13

/**
 * Returns an equal string that keeps no other one in memory.
 *
 * An id that was cut from a cookie header or a URL may be such a pointer, and keeps all of the header as long
 * as it lives itself. Nothing tells that from outside. Two parts that are put together are a new string once
 * they are read.
 */
export function detachString(text: string): string {
  if (text.length < minSliceLength) return text
  const copy = text.slice(0, minSliceLength - 1) + text.slice(minSliceLength - 1)
  // Only this copies the units: until then V8 remembers the parts.
  copy.charCodeAt(0)
  return copy
}
