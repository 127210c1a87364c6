import type { Session } from './session.ts'

/** Every code that a {@link SessionRegistryError} can carry. `docs/errors.md` says when, and what to do. */
export type SessionErrorCode =
  | 'ERR_SESSION_ARCHIVE_FAILED'
  | 'ERR_SESSION_BACKEND_FAILED'
  | 'ERR_SESSION_BACKEND_UNAVAILABLE'
  | 'ERR_SESSION_BUSY'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_ID_INVALID'
  | 'ERR_SESSION_LOCK_LOST'
  | 'ERR_SESSION_NEEDS_OPEN'
  | 'ERR_SESSION_NO_FACTORY'
  | 'ERR_SESSION_OPTION_INVALID'
  | 'ERR_SESSION_REENTRANT'
  | 'ERR_SESSION_REGISTRY_CLOSED'
  | 'ERR_SESSION_REGISTRY_FULL'
  | 'ERR_SESSION_SHARDS_MISMATCH'
  | 'ERR_SESSION_TURN_INTERRUPTED'
  | 'ERR_SESSION_TURN_TIMEOUT'
  | 'ERR_SESSION_VALUE_INVALID'

// In the global symbol registry: two copies of the package, or its ESM and its CJS build, meet in one process.
const brand = Symbol.for('session-registry.error')

/**
 * The one error class of the library. Tell errors apart by `code`, never by the message.
 *
 * Messages name the argument, the rule and what was got; none echoes a session id or a value.
 */
export class SessionRegistryError extends Error {
  readonly code: SessionErrorCode
  /** The session concerned, where the code is `ERR_SESSION_ARCHIVE_FAILED`; its value is untouched. */
  declare readonly session?: Session<unknown>

  constructor(
    code: SessionErrorCode,
    message: string,
    details: { readonly cause?: unknown; readonly session?: Session<unknown> } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    if (details.session !== undefined) {
      // Not enumerable: a logger that serialises errors must not print a visitor's value.
      Object.defineProperty(this, 'session', { value: details.session, enumerable: false })
    }
  }

  get [brand](): true {
    return true
  }
}

// On the prototype, because a stack is written before the fields are: as a field it would say `Error: …`. And outside of
// the class, which the build would have to rename if it named itself.
Object.defineProperty(SessionRegistryError.prototype, 'name', {
  value: 'SessionRegistryError',
  writable: true,
  configurable: true,
})

/**
 * Whether `error` comes from this library, of any copy or module format; with `code`, whether it has that code.
 */
export function isSessionRegistryError<C extends SessionErrorCode = SessionErrorCode>(
  error: unknown,
  code?: C,
): error is SessionRegistryError & { readonly code: C } {
  if (typeof error !== 'object' || error === null) return false
  const candidate = error as { readonly [brand]?: unknown; readonly code?: unknown }
  return candidate[brand] === true && (code === undefined || candidate.code === code)
}
