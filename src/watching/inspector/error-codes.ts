import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** The shape of a code: `ECONNREFUSED`, `23505`. Anything else may be a text. */
const codeShape = /^[A-Z0-9_]{1,40}$/

/**
 * Returns what the page shows of an error: its code, and that of its cause. Never a message, which may
 * contain an address, a statement or a value. Never throws.
 */
export function codesOf(error: unknown): string {
  const code = codeOf(error)
  const cause = isSessionRegistryError(error) ? codeOf(readCause(error)) : undefined
  return cause === undefined ? (code ?? 'no code') : `${code}, ${cause}`
}

function codeOf(error: unknown): string | undefined {
  try {
    const code: unknown = (error as { readonly code?: unknown } | undefined | null)?.code
    return typeof code === 'string' && codeShape.test(code) ? code : undefined
  } catch {
    // A getter or a proxy that throws.
    return undefined
  }
}

function readCause(error: Error): unknown {
  try {
    return error.cause
  } catch {
    return undefined
  }
}
