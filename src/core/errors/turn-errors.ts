import type { Session } from '../session.ts'
import { SessionRegistryError } from './session-registry-error.ts'

export function closedError(): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_REGISTRY_CLOSED', 'The registry is closed, or closing')
}

export function noFactoryError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_NO_FACTORY',
    'Expected a `create` function, of the registry or of this call, to make the value of a new session; got neither',
  )
}

export function needsOpenError(why: string): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_NEEDS_OPEN',
    `Expected a session in memory, but this one ${why}: use \`open\` or \`run\`, which can wait`,
  )
}

export function reentrantError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_REENTRANT',
    'Expected a hook (`create`, `load`, `archive`, `dispose`) not to open its own session: it would wait for itself',
  )
}

export function busyError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BUSY',
    'Expected the session to be idle, but a turn is running or waiting',
  )
}

export function notOwnerError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_NOT_OWNER',
    'Expected the session to belong to the given owner, but it does not',
  )
}

export function queueFullError(maxWaiting: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_QUEUE_FULL',
    `Expected at most \`maxWaiting\` of ${maxWaiting} turns to wait for the session, but as many already do`,
  )
}

export function generatorReturnedError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `turn` not to return an async generator, which would run after the turn: use `stream`',
  )
}

export function turnTimeoutError(maxTurnMs: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_TURN_TIMEOUT',
    `Expected the turn to end within \`maxTurnMs\` of ${maxTurnMs} ms, but it did not`,
  )
}

export function holdTimeoutError(maxMs: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_TURN_TIMEOUT',
    `Expected the hold to be released or renewed within its limit of ${maxMs} ms, but it was not`,
  )
}

export function interruptedError(): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_TURN_INTERRUPTED', 'The turn was interrupted by a later one')
}

export function endedDuringTurnError(): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_ENDED', 'The session was deleted or replaced during the turn')
}

export function loadTimeoutError(loadTimeoutMs: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_LOAD_TIMEOUT',
    `Expected the session to be loaded within \`loadTimeoutMs\` of ${loadTimeoutMs} ms, but it was not`,
  )
}

export function endedDuringError(
  what: 'archive' | 'load' | 'create',
  reason: 'deleted' | 'replaced',
): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_ENDED', `The session was ${reason} during its \`${what}\``)
}

/** The error of a session whose last archive attempt failed; `fate` is what has become of it. */
export function archiveFailedError(
  fate: string,
  session: Session<unknown>,
  cause: unknown,
): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    `Expected the session to be archived, but the last attempt failed: the session ${fate}`,
    { cause, session },
  )
}

/** The error of a value that was not released; `session` is undefined where it never was a session's. */
export function disposeFailedError(
  session: Session<unknown> | undefined,
  cause: unknown,
): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_DISPOSE_FAILED',
    'Expected `dispose` to release the value of a session, but it failed: the session has ended all the same',
    session === undefined ? { cause } : { cause, session },
  )
}

export function disposeTimeoutError(disposeTimeoutMs: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_DISPOSE_FAILED',
    `Expected the value to be disposed of within \`disposeTimeoutMs\` of ${disposeTimeoutMs} ms, but it was not`,
  )
}

export function archiveTimeoutError(archiveTimeoutMs: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    `Expected the session to be archived within \`archiveTimeoutMs\` of ${archiveTimeoutMs} ms, but it was not`,
  )
}
