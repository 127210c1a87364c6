import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { SessionRegistryError } from '../errors/session-registry-error.ts'
import { refOf } from '../ids/id-ref.ts'
import { checkFunction, invalidOption } from '../options/validate.ts'

/** Writes one line: fields first, message second, as pino does. */
type LogMethod = (fields: object, message: string) => void

/** A pino logger, or anything with these four of its methods. */
export interface Logger {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}

export type LogLevel = keyof Logger

/** How ids appear in log lines. */
export type LogIds = 'hashed' | 'plain' | ((id: string) => string)

const levels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

/**
 * The logger that an option stands for: none, our own, or a child of the user's.
 *
 * Lines of a given pino logger come from a child of it with `registry` bound, so that its level and redaction
 * apply.
 */
export function resolveLogger(logger: boolean | Logger, name: string): BoundLogger | undefined {
  if (logger === false) return undefined
  if (logger === true) return bind(ownLogger(), name)
  if (!isLogger(logger)) {
    throw invalidOption('logger', 'a boolean, or a logger with debug, info, warn and error', logger)
  }
  return bind(logger, name)
}

function isLogger(candidate: unknown): candidate is Logger {
  if ((typeof candidate !== 'object' && typeof candidate !== 'function') || candidate === null) return false
  return levels.every((level) => typeof (candidate as Partial<Logger>)[level] === 'function')
}

/** A logger of one registry. Each call may throw: the caller contains it. */
export interface BoundLogger {
  write(level: LogLevel, fields: object, message: string): unknown
  isEnabled(level: LogLevel): boolean
}

interface MaybePino extends Logger {
  child?: (bindings: object) => Logger
  isLevelEnabled?: (level: string) => boolean
}

function bind(logger: MaybePino, name: string): BoundLogger {
  let target = logger
  let bindings: object = { registry: name }
  if (typeof logger.child === 'function') {
    try {
      const child: unknown = logger.child(bindings)
      // What another kind of logger calls `child` may be anything.
      if (isLogger(child)) {
        target = child
        bindings = {}
      }
    } catch {
      // A logger that cannot make a child can still write lines.
    }
  }
  return {
    write: (level, fields, message) => target[level]({ ...bindings, ...fields }, message),
    isEnabled: (level) => (typeof target.isLevelEnabled === 'function' ? target.isLevelEnabled(level) : true),
  }
}

let own: Logger | undefined

function ownLogger(): Logger {
  own ??= loadPino()({ name: 'session-registry', level: 'info' })
  return own
}

/**
 * Loads pino at the first use only, since a program that logs nothing should not pay for importing it.
 *
 * No bundler sees this, so a bundle has no pino in it: it is found where the bundle runs beside a
 * `node_modules` that has it.
 */
function loadPino(): typeof import('pino').pino {
  try {
    return (createRequire(ownPath())('pino') as typeof import('pino')).pino
  } catch (cause) {
    throw new SessionRegistryError(
      'ERR_SESSION_OPTION_INVALID',
      'Expected `logger` to be a logger: `true` needs the package pino, which cannot be loaded from here (is this a bundle?). Pass a pino logger',
      { cause },
    )
  }
}

/** Where this code is: in a CommonJS module or bundle, which has no `import.meta.url`, or in an ES module. */
function ownPath(): string {
  // `node -e` has a global `__filename`, `[eval]`, which ES modules see too.
  return typeof __filename === 'string' && isAbsolute(__filename) ? __filename : import.meta.url
}

/** Turns an id into what stands in the log. A keyed hash cannot be undone by hashing likely ids. */
export function resolveLogIds(logIds: LogIds): (id: string) => string {
  if (logIds === 'plain') return (id) => id
  if (logIds === 'hashed') return refOf
  if (typeof logIds === 'function') return checkFunction('logIds', logIds)
  throw invalidOption('logIds', "'hashed', 'plain' or a function", logIds)
}
