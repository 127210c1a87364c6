import type { ArchiveSession, CreateSession, LoadSession } from './hooks.ts'
import { type BoundLogger, type Logger, type LogIds, resolveLogger, resolveLogIds } from './logger.ts'
import { checkCount, checkFunction, checkPositive, checkText } from './validate.ts'

/** The options that mean the same in every registry. */
export interface SharedOptions<T> {
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
   * Absolute timeout: how long after its creation a session is over, however active.
   *
   * A session that is held outlives it, and is over as soon as it is released.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue Infinity
   */
  readonly maxAgeMs?: number | undefined
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
   * that rejects is tried again; after the last attempt the session is handed back alive.
   *
   * In one process, and where a place is free, the first try begins before the call that lets the session go returns: what
   * it does before its first `await` is done in there.
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
}

/** {@link SharedOptions} with every default filled in. */
export interface ResolvedSharedOptions<T> {
  readonly timeoutMs: number
  readonly maxAgeMs: number
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
}

const defaultTimeoutMs = 20 * 60_000

export const sharedOptions: readonly string[] = Object.keys({
  timeoutMs: true,
  maxAgeMs: true,
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
} satisfies Record<keyof SharedOptions<unknown>, true>)

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function resolveSharedOptions<T>(given: SharedOptions<T>): ResolvedSharedOptions<T> {
  const timeoutMs = checkPositive('timeoutMs', orDefault(given.timeoutMs, defaultTimeoutMs))
  const name = checkText('name', orDefault(given.name, 'sessions'))
  return {
    timeoutMs,
    maxAgeMs: checkPositive('maxAgeMs', orDefault(given.maxAgeMs, Number.POSITIVE_INFINITY)),
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
  }
}

/** Only `undefined` is the default: `null` stays, for the check to refuse it. */
export function orDefault<V>(given: V | undefined, fallback: V): V {
  return given === undefined ? fallback : given
}
