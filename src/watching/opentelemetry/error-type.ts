import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** What OpenTelemetry calls an error of no known type. */
const other = '_OTHER'

/** The names that programs give to their classes of errors. */
const className = /^[A-Z][A-Za-z0-9]{0,58}(?:Error|Exception)$|^Error$/

/**
 * Returns the value of the attribute `error.type`: the code of an error of the library, else the name of its
 * class. Never its message, and no `code` or `name` that was assigned: they may have an id in them.
 */
export function errorType(error: unknown): string {
  if (isSessionRegistryError(error)) return error.code
  if (typeof error !== 'object' || error === null) return other
  try {
    // Not its own `constructor`, which what was read from a request may have.
    const { name } = Object.getPrototypeOf(error).constructor
    // Of these the name is chosen from a list, such as `AbortError`.
    const shown = name === 'DOMException' ? (error as DOMException).name : name
    return className.test(shown) ? shown : other
  } catch {
    return other
  }
}
