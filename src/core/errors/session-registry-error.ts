import type { Session } from '../session.ts'

/**
 * The codes of a {@link SessionRegistryError}. `docs/errors.md` explains when each occurs, and what to do.
 */
export type SessionErrorCode =
  | 'ERR_SESSION_ARCHIVE_FAILED'
  | 'ERR_SESSION_BACKEND_FAILED'
  | 'ERR_SESSION_BACKEND_UNAVAILABLE'
  | 'ERR_SESSION_BUSY'
  | 'ERR_SESSION_DISPOSE_FAILED'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_ID_INVALID'
  | 'ERR_SESSION_LOAD_TIMEOUT'
  | 'ERR_SESSION_LOCK_LOST'
  | 'ERR_SESSION_NEEDS_OPEN'
  | 'ERR_SESSION_NO_FACTORY'
  | 'ERR_SESSION_NOT_OWNER'
  | 'ERR_SESSION_OPTION_INVALID'
  | 'ERR_SESSION_OWNER_FULL'
  | 'ERR_SESSION_QUEUE_FULL'
  | 'ERR_SESSION_REENTRANT'
  | 'ERR_SESSION_REGISTRY_CLOSED'
  | 'ERR_SESSION_REGISTRY_FULL'
  | 'ERR_SESSION_SHARDS_MISMATCH'
  | 'ERR_SESSION_STORE_CONFLICT'
  | 'ERR_SESSION_STORE_FAILED'
  | 'ERR_SESSION_TURN_INTERRUPTED'
  | 'ERR_SESSION_TURN_TIMEOUT'
  | 'ERR_SESSION_VALUE_INVALID'

/**
 * The HTTP status of each code: 400 for an invalid id, argument or value; 409 for a conflict with other work
 * on the session; 429 for too much work on one session; 503 for full, closed, or an unavailable back end; 504
 * for a timeout; else 500.
 */
const statusCodes: Record<SessionErrorCode, number> = {
  ERR_SESSION_ARCHIVE_FAILED: 503,
  ERR_SESSION_BACKEND_FAILED: 503,
  ERR_SESSION_BACKEND_UNAVAILABLE: 503,
  ERR_SESSION_BUSY: 409,
  ERR_SESSION_DISPOSE_FAILED: 500,
  ERR_SESSION_ENDED: 409,
  ERR_SESSION_ID_INVALID: 400,
  ERR_SESSION_LOAD_TIMEOUT: 504,
  ERR_SESSION_LOCK_LOST: 500,
  ERR_SESSION_NEEDS_OPEN: 500,
  ERR_SESSION_NO_FACTORY: 500,
  ERR_SESSION_NOT_OWNER: 403,
  ERR_SESSION_OPTION_INVALID: 400,
  ERR_SESSION_OWNER_FULL: 429,
  ERR_SESSION_QUEUE_FULL: 429,
  ERR_SESSION_REENTRANT: 500,
  ERR_SESSION_REGISTRY_CLOSED: 503,
  ERR_SESSION_REGISTRY_FULL: 503,
  ERR_SESSION_SHARDS_MISMATCH: 500,
  ERR_SESSION_STORE_CONFLICT: 409,
  ERR_SESSION_STORE_FAILED: 503,
  ERR_SESSION_TURN_INTERRUPTED: 409,
  ERR_SESSION_TURN_TIMEOUT: 504,
  ERR_SESSION_VALUE_INVALID: 400,
}

// In the global symbol registry: two copies of the package, or its ESM and its CJS build, may be loaded in
// one process.
const brand = Symbol.for('session-registry.error')

/**
 * The error class of the library. Distinguish errors by `code`, never by the message.
 *
 * Messages name the argument, the rule and what was got; none shows a session id or a value.
 */
export class SessionRegistryError extends Error {
  readonly code: SessionErrorCode
  /** The HTTP status of the code. Fastify, Express and Koa reply with it when the error reaches them. */
  declare readonly statusCode: number
  /** {@link statusCode}, under the name that Express and Koa read first. */
  declare readonly status: number
  /**
   * The session, if the code is `ERR_SESSION_ARCHIVE_FAILED`, `ERR_SESSION_DISPOSE_FAILED`, or
   * `ERR_SESSION_STORE_CONFLICT` of a session that was ending; its value is untouched.
   */
  declare readonly session?: Session<unknown>

  constructor(
    code: SessionErrorCode,
    message: string,
    details: { readonly cause?: unknown; readonly session?: Session<unknown> } = {},
  ) {
    super(message, Object.hasOwn(details, 'cause') ? { cause: details.cause } : undefined)
    this.code = code
    for (const name of ['statusCode', 'status']) {
      // Not enumerable, since the code is enough in a log. Writable, since Koa assigns the status that it
      // replies with.
      Object.defineProperty(this, name, { value: statusCodes[code], writable: true, configurable: true })
    }
    if (Object.hasOwn(details, 'session') && details.session !== undefined) {
      // Not enumerable: a logger that serialises errors must not print the value of a visitor.
      Object.defineProperty(this, 'session', { value: details.session, enumerable: false })
    }
  }

  get [brand](): true {
    return true
  }
}

// On the prototype, because a stack is captured before fields are set. And outside of the class, which the
// build would have to rename if it named itself.
Object.defineProperty(SessionRegistryError.prototype, 'name', {
  value: 'SessionRegistryError',
  writable: true,
  configurable: true,
})

/**
 * Whether `error` is of this library, of any copy and module format; with `code`, whether it has that code.
 */
export function isSessionRegistryError<C extends SessionErrorCode = SessionErrorCode>(
  error: unknown,
  code?: C,
): error is SessionRegistryError & { readonly code: C } {
  if (typeof error !== 'object' || error === null) return false
  const candidate = error as { readonly [brand]?: unknown; readonly code?: unknown }
  try {
    return candidate[brand] === true && (code === undefined || candidate.code === code)
  } catch {
    // A proxy that throws, which is none of ours.
    return false
  }
}
