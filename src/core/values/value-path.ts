/** The longest key that a path shows, and about the longest path, in characters: a message is for people. */
const maxKeyLength = 40
const maxPathLength = 200

/** Returns the path to a member of an object or array, as in source code: `value.items[3].at`. */
export function memberPath(path: string, key: string | number): string {
  if (path.length > maxPathLength) return path.endsWith('…') ? path : `${path}…`
  if (typeof key === 'number') return `${path}[${key}]`
  if (/^[A-Za-z_$][\w$]*$/.test(key) && key.length <= maxKeyLength) return `${path}.${key}`
  return `${path}[${JSON.stringify(key.length > maxKeyLength ? `${key.slice(0, maxKeyLength)}…` : key)}]`
}
