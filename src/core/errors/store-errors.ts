import type { Session } from '../session.ts'
import { SessionRegistryError } from './session-registry-error.ts'

/** The error of a call of a store that failed; `what` is what the store was to do. */
export function storeFailedError(what: string, cause: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_STORE_FAILED',
    `Expected the store to ${what}, but it failed`,
    {
      cause,
    },
  )
}

/** The cause of a {@link storeFailedError}: the store broke a rule of its interface. */
export function storeRuleError(method: string, rule: string, got: string): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_STORE_FAILED',
    `Expected \`${method}\` of the store to return ${rule}, got ${got}`,
  )
}

/** The cause of a {@link storeFailedError}: a call took too long. */
export function storeTimeoutError(archiveTimeoutMs: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_STORE_FAILED',
    `Expected the store to settle within \`archiveTimeoutMs\` of ${archiveTimeoutMs} ms, but it did not`,
  )
}

/** The error of a session that was written or deleted elsewhere since this process last saw it. */
export function storeConflictError(session?: Session<unknown>): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_STORE_CONFLICT',
    'Expected the session in the store to be as it was last seen here, but it was written or deleted elsewhere',
    session === undefined ? {} : { session },
  )
}

export function noOwnersError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected the store to have `owned`, by which `forgetOwner` finds sessions, but it has none',
  )
}

export function noStoreError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected the registry to have a `store`, which `save` writes to, but it has none',
  )
}
