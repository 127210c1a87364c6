import type { EndReason } from '../end-reason.ts'
import type { Session } from '../session.ts'
import type { WhenBusy } from '../turns/turn.ts'
import type { LogLevel } from './logger.ts'
import type { SweepSummary } from './session-events.ts'

/** A log line as it is written. Only {@link logLines} and {@link failureLine} make one. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: object
  /** The session id, shown in the field `session` in the way that `logIds` sets. */
  readonly id?: string
}

/** A kind of log line: its level, its message, and what makes a line of it. */
class LineKind<A extends readonly unknown[]> {
  readonly level: LogLevel
  readonly message: string
  readonly #partsOf: (...args: A) => Pick<LogLine, 'fields' | 'id'>

  constructor(level: LogLevel, message: string, partsOf: (...args: A) => Pick<LogLine, 'fields' | 'id'>) {
    this.level = level
    this.message = message
    this.#partsOf = partsOf
  }

  line(...args: A): LogLine {
    return { level: this.level, message: this.message, ...this.#partsOf(...args) }
  }
}

/** A line about the registry. `fieldsOf` names all of its fields, without a spread, for the test. */
function line<A extends readonly unknown[]>(
  level: LogLevel,
  message: string,
  fieldsOf: (...args: A) => object,
): LineKind<A> {
  return new LineKind(level, message, (...args) => ({ fields: fieldsOf(...args) }))
}

/** A line about a session: its id comes first, and is the field `session`. */
function sessionLine<A extends readonly unknown[]>(
  level: LogLevel,
  message: string,
  fieldsOf: (...args: A) => object,
): LineKind<[id: string, ...A]> {
  return new LineKind(level, message, (id, ...args) => ({ fields: fieldsOf(...args), id }))
}

/**
 * The log lines of every registry; with {@link failures} all that the library logs. `docs/logging.md` has the
 * same list, and a test compares the two.
 */
export const logLines = {
  created: sessionLine('info', 'session created', (isLoaded: boolean) => (isLoaded ? { loaded: true } : {})),
  expired: sessionLine('info', 'session expired', endFields),
  ended: sessionLine('debug', 'session ended', endFields),
  swept: line('info', 'sweep done', sweepFields),
  sweptNothing: line('debug', 'sweep found nothing', sweepFields),
  revived: sessionLine('info', 'dead-lettered session revived', () => ({})),
  loadFailed: sessionLine('debug', 'load failed', (error: unknown) => ({ err: error })),
  archiveFailed: sessionLine('debug', 'archive attempt failed', (attempt: number, error: unknown) => ({
    attempt,
    err: error,
  })),
  listenerFailed: line('error', 'a listener failed', (event: string, error: unknown) => ({
    err: error,
    event,
  })),
  turnWaiting: sessionLine('warn', 'turn is still waiting', (waitedMs: number, whenBusy: WhenBusy) => ({
    waitedMs,
    whenBusy,
  })),
  turnRunning: sessionLine('warn', 'turn is still running', (runningMs: number, whenBusy: WhenBusy) => ({
    runningMs,
    whenBusy,
  })),
  archiverMissing: line(
    'warn',
    'Expired sessions are left to other processes: this one has no `archive` or `store`, and others of its prefix ' +
      'have one. Give it the same, or `archives: false`',
    () => ({}),
  ),
  evictionAllowed: line(
    'warn',
    'Redis may evict sessions: expected maxmemory-policy to be noeviction',
    (policy: string) => ({ policy }),
  ),
}

/** The messages of contained failures: lines of level `error` that come with the event `error`. */
export const failures = [
  'a change could not be followed up',
  'a deferred action failed',
  'a deletion could not be timed',
  'a disposal could not be timed',
  'a hold was never released',
  'a load could not be timed',
  'a pruning could not be timed',
  'a save could not be timed',
  'a session could not be created',
  'a session could not be read',
  'a turn could not be timed',
  'a value could not be disposed of',
  'an archive could not be timed',
  'expired session could not be ended',
  'expired session was lost',
  'expired sessions could not be claimed',
  'foreign entries were removed from a queue',
  'session could not be archived',
  'session could not be deleted from the store',
  'session could not be kept in the store',
  'session was changed elsewhere',
  'sessions could not be counted',
  'sessions may have been lost',
  'the background sweep could not be scheduled',
  'the background sweep failed',
  'the clock failed',
  'the deadline of `close` could not be set',
  'the process could not be kept alive for a call that waits',
  'the store could not be closed',
  'the store could not be pruned',
] as const

export type Failure = (typeof failures)[number]

/** Returns the line of a contained failure, of a session where there is an id. */
export function failureLine(message: Failure, error: unknown, id?: string): LogLine {
  return { level: 'error', message, fields: { err: error }, ...(id === undefined ? {} : { id }) }
}

/** Returns the fields of the end of a session, also for its message. */
export function endFields({ idleMs, ageMs }: Session<unknown>, reason: EndReason) {
  return { reason, idleMs: Math.round(idleMs), ageMs: Math.round(ageMs) }
}

function sweepFields({ expired, remaining, durationMs }: SweepSummary) {
  return { expired, remaining, durationMs }
}
