/** Readers of the parts of a parsed text that is not trusted. Each throws a `TypeError` for anything else. */

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw new TypeError('Expected an object')
}

export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new TypeError('Expected a list')
}

export function stringOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('Expected a text')
}

export function integerOf(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw new TypeError('Expected an integer')
}

/** Returns the entry at an index that the text contains. */
export function entryAt<V>(values: readonly V[], index: unknown): V {
  const value = values[integerOf(index)]
  if (value === undefined) throw new TypeError('Expected an index of a list')
  return value
}

/** Returns a timeout, which is a text where it is infinite; `undefined` for `null` and `undefined`. */
export function timeoutOf(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined
  const timeout = Number(value)
  if (timeout > 0) return timeout
  throw new TypeError('Expected a positive number')
}

export function versionOf(value: unknown): string | number | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new TypeError('Expected a version')
}
