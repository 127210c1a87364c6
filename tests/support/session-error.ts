import { isSessionRegistryError, type SessionErrorCode } from 'session-registry'
import { expect } from 'vitest'

/** Matches a `SessionRegistryError` of this code. */
export function sessionError(code: SessionErrorCode): unknown {
  return expect.toSatisfy((error: unknown) => isSessionRegistryError(error, code), code)
}

/** Returns what `fn` throws, or what its promise rejects with. */
export async function failureOf(fn: () => unknown): Promise<unknown> {
  try {
    await fn()
  } catch (error) {
    return error
  }
  throw new Error('Expected a failure, and nothing failed')
}

/** Returns what `fn` throws synchronously. */
export function thrownBy(fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return error
  }
  throw new Error('Expected an error to be thrown, and none was')
}
