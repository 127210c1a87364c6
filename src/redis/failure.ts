import { SessionRegistryError } from '../core/errors.ts'

/**
 * What a failed call of the client means.
 *
 * - `answer`: the server refused; repeating does not help
 * - `passing`: the server refused for now, and nothing was done: it loads its data, or a failover is under way
 * - `readOnly`: as `passing` for a moment after a failover, and as `answer` on a replica
 * - `lost`: no answer came; what was sent may have been carried out or not
 */
export type Failure = 'answer' | 'passing' | 'readOnly' | 'lost'

const passing = /\b(LOADING|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|BUSY|MOVED|ASK)\b/
const readOnly = /\bREADONLY\b|ReadOnly/

/** Redis begins every error with a word in capitals; no client's own message does. */
const errorCode = /^-?[A-Z]{2,}[A-Z0-9]* /

export function classify(error: unknown): Failure {
  if (!(error instanceof Error)) return 'lost'
  // A client that was called wrongly, or whose connection refuses what it was given, will not do better.
  if (error instanceof TypeError || error instanceof RangeError) return 'answer'
  if (!isAnswer(error)) return 'lost'
  if (readOnly.test(error.message)) return 'readOnly'
  return passing.test(error.message) ? 'passing' : 'answer'
}

function isAnswer(error: Error): boolean {
  if (error.name === 'ReplyError' || errorCode.test(error.message)) return true
  // GLIDE puts the server's words into its own.
  if (/signalled by the server/.test(error.message)) return true
  for (
    let type: unknown = error.constructor;
    typeof type === 'function';
    type = Object.getPrototypeOf(type)
  ) {
    if (type.name === 'ErrorReply') return true
  }
  return false
}

export function backendFailed(cause: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_FAILED',
    'Expected Redis to carry out the call, but it answered with an error; nothing was written',
    { cause },
  )
}

export function backendUnavailable(cause: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_UNAVAILABLE',
    'Expected an answer of Redis, but none came, and repeating the call did not help; its outcome is unknown',
    { cause },
  )
}

/** The client hands out what none of our scripts answers. */
export function unfitClient(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `client` to answer a script with what the server answers, got something else',
  )
}
