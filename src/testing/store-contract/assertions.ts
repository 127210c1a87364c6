/** The error of an assertion that failed. */
class StoreContractError extends Error {
  override readonly name = 'StoreContractError'
}

/** Throws with the reason unless the condition holds. */
export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new StoreContractError(otherwise)
}

/** Throws unless two values have equal JSON-like contents, in any order of keys. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  expectThat(
    exact(actual) === exact(expected),
    `${what}: expected ${printed(expected)}, got ${printed(actual)}`,
  )
}

/** Returns the reason of a rejected promise. Throws if it fulfils. */
export async function expectRejection(promise: Promise<unknown>, what: string): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new StoreContractError(`${what}: expected a rejection, got ${printed(value)}`)
}

const longestPrint = 300

function printed(value: unknown): string {
  const text = exact(value)
  return text.length <= longestPrint ? text : `${text.slice(0, longestPrint)}… (${text.length} units)`
}

/** Returns a text that is equal for equal values only. */
function exact(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (value === undefined) return 'undefined'
  if (Array.isArray(value)) return `[${value.map(exact).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value)
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{ ${entries.map(([key, inner]) => `${key}: ${exact(inner)}`).join(', ')} }`
}
