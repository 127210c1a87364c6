import { type Clock, type FullClock, systemClock } from '../core/clock.ts'
import type { ArchiveReason } from '../core/end-reason.ts'
import { type BoundLogger, type Logger, type LogIds, resolveLogger, resolveLogIds } from '../core/logger.ts'
import type { Session } from '../core/session.ts'
import {
  checkCount,
  checkFunction,
  checkInterval,
  checkLimit,
  checkOneOf,
  checkOptions,
  checkPositive,
  checkText,
  invalidOption,
} from '../core/validate.ts'

/** Makes the value of a new session. */
export type CreateSession<T> = (id: string) => T

/** Brings back the value of an archived session; `undefined` where there is none. `signal` aborts when nobody waits any more. */
export type LoadSession<T> = (id: string, context: { readonly signal: AbortSignal }) => Promise<T | undefined>

/** Puts a session's value away before it is let go. `attempt` counts from 1. */
export type ArchiveSession<T> = (
  session: Session<T>,
  reason: ArchiveReason,
  context: { readonly signal: AbortSignal; readonly attempt: number },
) => Promise<void>

/** What to do with a new session at the cap. */
export type WhenFull = 'evict' | 'reject'

export interface SessionRegistryOptions<T> {
  /**
   * How long a session may stay without activity before it is over.
   *
   * Activity is `getOrCreate`, `get`, `set`, `touch`, `open`, and the end of a turn or hold; `peek`, `has` and iteration
   * are not. A session whose idle time equals this value is already over: reads treat it as absent at once.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit.
   *
   * @defaultValue 1_200_000 (20 minutes)
   */
  readonly timeoutMs?: number | undefined
  /**
   * How often the background sweep looks for sessions that are over and frees those that nobody comes back to.
   *
   * Milliseconds; 1 to 2_147_483_647, the longest delay that a timer keeps.
   *
   * @defaultValue 300_000 (5 minutes)
   */
  readonly intervalMs?: number | undefined
  /**
   * Absolute timeout: how long after its creation a session is over, however active.
   *
   * A session that is held outlives it, and is over as soon as it is released.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue Infinity
   */
  readonly maxAgeMs?: number | undefined
  /**
   * The most sessions that memory holds, those being archived included.
   *
   * An integer of at least 1, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly maxSessions?: number | undefined
  /**
   * At the cap: end the least recently active session that is not held, or refuse the new one with
   * `ERR_SESSION_REGISTRY_FULL`. Sessions that are over make room first in either case.
   *
   * @defaultValue 'evict'
   */
  readonly whenFull?: WhenFull | undefined
  /** Makes the value of a new session; synchronous. A `create` that is given with a call wins over it. */
  readonly create?: CreateSession<T> | undefined
  /**
   * Brings back the value of an archived session, for `open` and `run`; `undefined` where there is none.
   *
   * With it, `getOrCreate` of a session that is not in memory throws `ERR_SESSION_NEEDS_OPEN`, for it cannot wait.
   */
  readonly load?: LoadSession<T> | undefined
  /**
   * Puts a session's value away before it is let go by `idle`, `age`, `capacity` or `closed`; not before `deleted`.
   *
   * It may be called more than once for one life of a session: `session.incarnation` is the idempotency key. A promise
   * that rejects is tried again; after the last attempt the session is handed back alive. Where a place is free, the first
   * try begins before the call that lets the session go returns: what it does before its first `await` is done in there.
   */
  readonly archive?: ArchiveSession<T> | undefined
  /**
   * Archives under way at once.
   *
   * @defaultValue 8
   */
  readonly archiveConcurrency?: number | undefined
  /**
   * Tries per session before it is handed back, with exponential backoff and jitter between them.
   *
   * @defaultValue 5
   */
  readonly archiveAttempts?: number | undefined
  /**
   * The longest one try may take before its signal aborts and it counts as failed.
   *
   * Milliseconds; an integer of at least 1.
   *
   * @defaultValue 30_000
   */
  readonly archiveTimeoutMs?: number | undefined
  /**
   * The longest that one turn or hold may keep a session from ending.
   *
   * Milliseconds; positive, or `Infinity` for no limit. Beware that a short `timeoutMs` shortens turns.
   *
   * @defaultValue `timeoutMs` where that is finite, else 1_200_000 (20 minutes)
   */
  readonly maxTurnMs?: number | undefined
  /**
   * Where log lines go: nowhere, to the library's own pino logger at `info`, or to a given one.
   *
   * A session's value is never logged.
   *
   * @defaultValue false
   */
  readonly logger?: boolean | Logger | undefined
  /**
   * How ids appear in log lines: a keyed hash (HMAC, key per process), as they are, or in your own way.
   *
   * @defaultValue 'hashed'
   */
  readonly logIds?: LogIds | undefined
  /**
   * The registry's name in log lines.
   *
   * @defaultValue 'sessions'
   */
  readonly name?: string | undefined
  /**
   * Where time and timers come from; for tests.
   *
   * @defaultValue the globals, looked up at each use
   */
  readonly clock?: Clock | undefined
}

/** Options with every default filled in. */
export interface ResolvedOptions<T> {
  readonly timeoutMs: number
  readonly intervalMs: number
  readonly maxAgeMs: number
  readonly maxSessions: number
  readonly whenFull: WhenFull
  readonly create: CreateSession<T> | undefined
  readonly load: LoadSession<T> | undefined
  readonly archive: ArchiveSession<T> | undefined
  readonly archiveConcurrency: number
  readonly archiveAttempts: number
  readonly archiveTimeoutMs: number
  readonly maxTurnMs: number
  readonly logger: BoundLogger | undefined
  readonly logId: (id: string) => string
  readonly name: string
  readonly clock: FullClock
}

const defaultTimeoutMs = 20 * 60_000

const knownOptions = Object.keys({
  timeoutMs: true,
  intervalMs: true,
  maxAgeMs: true,
  maxSessions: true,
  whenFull: true,
  create: true,
  load: true,
  archive: true,
  archiveConcurrency: true,
  archiveAttempts: true,
  archiveTimeoutMs: true,
  maxTurnMs: true,
  logger: true,
  logIds: true,
  name: true,
  clock: true,
} satisfies Record<keyof SessionRegistryOptions<unknown>, true>)

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function resolveOptions<T>(options: SessionRegistryOptions<T> | undefined): ResolvedOptions<T> {
  const given = checkOptions('options', options, knownOptions)
  const timeoutMs = checkPositive('timeoutMs', orDefault(given.timeoutMs, defaultTimeoutMs))
  const name = checkText('name', orDefault(given.name, 'sessions'))
  return {
    timeoutMs,
    intervalMs: checkInterval('intervalMs', orDefault(given.intervalMs, 5 * 60_000)),
    maxAgeMs: checkPositive('maxAgeMs', orDefault(given.maxAgeMs, Number.POSITIVE_INFINITY)),
    maxSessions: checkLimit('maxSessions', orDefault(given.maxSessions, Number.POSITIVE_INFINITY)),
    whenFull: checkOneOf('whenFull', orDefault(given.whenFull, 'evict'), ['evict', 'reject']),
    create: given.create === undefined ? undefined : checkFunction('create', given.create),
    load: given.load === undefined ? undefined : checkFunction('load', given.load),
    archive: given.archive === undefined ? undefined : checkFunction('archive', given.archive),
    archiveConcurrency: checkCount('archiveConcurrency', orDefault(given.archiveConcurrency, 8)),
    archiveAttempts: checkCount('archiveAttempts', orDefault(given.archiveAttempts, 5)),
    archiveTimeoutMs: checkCount('archiveTimeoutMs', orDefault(given.archiveTimeoutMs, 30_000)),
    maxTurnMs: checkPositive(
      'maxTurnMs',
      orDefault(given.maxTurnMs, timeoutMs === Number.POSITIVE_INFINITY ? defaultTimeoutMs : timeoutMs),
    ),
    logger: resolveLogger(orDefault(given.logger, false), name),
    logId: resolveLogIds(orDefault(given.logIds, 'hashed')),
    name,
    clock: resolveClock(given.clock),
  }
}

/** Only `undefined` is the default: `null` stays, for the check to refuse it. */
function orDefault<V>(given: V | undefined, fallback: V): V {
  return given === undefined ? fallback : given
}

function resolveClock(clock: Clock | undefined): FullClock {
  if (clock === undefined) return systemClock
  const usable =
    typeof clock === 'object' &&
    clock !== null &&
    typeof clock.now === 'function' &&
    typeof clock.setTimeout === 'function' &&
    typeof clock.clearTimeout === 'function' &&
    (clock.date === undefined || typeof clock.date === 'function')
  if (!usable)
    throw invalidOption('clock', 'an object with now, setTimeout, clearTimeout and perhaps date', clock)
  return {
    now: () => clock.now(),
    setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle),
    date: () => (clock.date === undefined ? systemClock.date() : clock.date()),
  }
}
