/**
 * The parts of a parsed text, which may be anybody's. Each throws a `TypeError` where it is something else.
 */

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

/** The entry at a place that the text names. */
export function entryAt<V>(values: readonly V[], place: unknown): V {
  const value = values[integerOf(place)]
  if (value === undefined) throw new TypeError('Expected a place in a list')
  return value
}

/** A timeout; as text where it is infinite. `null` and `undefined`: there is none. */
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
