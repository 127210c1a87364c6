import { type BoundLogger, type Logger, type LogIds, resolveLogger, resolveLogIds } from '../events/logger.ts'
import type { ArchiveSession, CreateSession, LoadSession } from '../hooks.ts'
import {
  type OptionReaders,
  optional,
  optionalFunction,
  type ReadOptions,
  withDefault,
} from './read-options.ts'
import { checkCount, checkNotNegative, checkPositive, checkText, checkWhole } from './validate.ts'

/** The options that mean the same in every registry. */
export interface SharedOptions<T> {
  /**
   * How long a session may stay without activity before it is over.
   *
   * Activity is `getOrCreate`, `get`, `set`, `touch`, `open`, and the end of a turn or hold; `peek`, `has`
   * and iteration are not. A session whose idle time equals this value is already over: reads treat it as
   * absent at once.
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
   * With it, `getOrCreate` of a session that is not in memory throws `ERR_SESSION_NEEDS_OPEN`, for it cannot
   * wait.
   */
  readonly load?: LoadSession<T> | undefined
  /**
   * Puts a session's value away before it is let go by `idle`, `age`, `capacity` or `closed`; not before
   * `deleted`.
   *
   * It may be called more than once for one life of a session: `session.incarnation` is the idempotency key.
   * A promise that rejects is tried again; after the last attempt the session is handed back alive.
   *
   * In one process, and where a place is free, the first try begins before the call that lets the session go
   * returns: what it does before its first `await` is done in there.
   */
  readonly archive?: ArchiveSession<T> | undefined
  /**
   * Archives under way at once.
   *
   * @defaultValue 8
   */
  readonly archiveConcurrency?: number | undefined
  /**
   * Tries per session, with exponential backoff and jitter between them. After the last one a session in
   * memory is handed back alive; on Redis it goes to the dead list.
   *
   * @defaultValue 5 (12 on Redis)
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
   * The longest time that one `load` may take before its signal aborts and those who wait for it are rejected
   * with `ERR_SESSION_LOAD_TIMEOUT`.
   *
   * Milliseconds; an integer of at least 1.
   *
   * @defaultValue 30_000
   */
  readonly loadTimeoutMs?: number | undefined
  /**
   * The longest time that one turn may keep a session from ending. Then its signal aborts with
   * `ERR_SESSION_TURN_TIMEOUT`, and it has `turnGraceMs` to finish.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue 1_200_000 (20 minutes), or `timeoutMs` where that is longer and finite
   */
  readonly maxTurnMs?: number | undefined
  /**
   * The longest time that one hold may keep a session from ending, unless the call says otherwise. A hold
   * that lasts longer is taken away, with an `error` event of `ERR_SESSION_TURN_TIMEOUT`.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue 86_400_000 (24 hours)
   */
  readonly maxHoldMs?: number | undefined
  /**
   * How long a turn keeps its session after its signal was aborted by `maxTurnMs` or by the deadline of
   * `close`. A turn that settles in that time loses nothing; after it `run` rejects and the next turn starts.
   * A stream has the same time for its clean-up after its signal was aborted, by whatever, while nothing was
   * being read.
   *
   * Milliseconds; zero, positive, or `Infinity`.
   *
   * @defaultValue 5_000
   */
  readonly turnGraceMs?: number | undefined
  /**
   * The most turns that may wait for one session. One more is refused with `ERR_SESSION_QUEUE_FULL`.
   *
   * An integer of at least 0, or `Infinity`.
   *
   * @defaultValue 1_000
   */
  readonly maxWaiting?: number | undefined
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
  readonly loadTimeoutMs: number
  readonly maxTurnMs: number
  readonly maxHoldMs: number
  readonly turnGraceMs: number
  readonly maxWaiting: number
  readonly logger: BoundLogger | undefined
  readonly logId: (id: string) => string
  readonly name: string
}

/** Default of `timeoutMs`, in milliseconds. */
const defaultTimeoutMs = 20 * 60_000

/** Shortest default of `maxTurnMs`, in milliseconds: the slowest answer of a model takes less. */
const minDefaultTurnMs = 20 * 60_000

/** The readers of the options that mean the same in every registry. */
export function sharedReaders<T>({ archiveAttempts }: { readonly archiveAttempts: number }) {
  return {
    timeoutMs: withDefault(defaultTimeoutMs, checkPositive),
    maxAgeMs: withDefault(Number.POSITIVE_INFINITY, checkPositive),
    create: optionalFunction<CreateSession<T>>(),
    load: optionalFunction<LoadSession<T>>(),
    archive: optionalFunction<ArchiveSession<T>>(),
    archiveConcurrency: withDefault(8, checkCount),
    archiveAttempts: withDefault(archiveAttempts, checkCount),
    archiveTimeoutMs: withDefault(30_000, checkCount),
    loadTimeoutMs: withDefault(30_000, checkCount),
    maxTurnMs: optional(checkPositive),
    maxHoldMs: withDefault(24 * 3_600_000, checkPositive),
    turnGraceMs: withDefault(5_000, checkNotNegative),
    maxWaiting: withDefault(1_000, checkWhole),
    // Both are checked as they are resolved.
    logger: withDefault<boolean | Logger>(false, (_, given) => given as boolean | Logger),
    logIds: withDefault<LogIds>('hashed', (_, given) => given as LogIds),
    name: withDefault('sessions', checkText),
  } satisfies OptionReaders<SharedOptions<T>>
}

/**
 * Fills in the defaults that depend on other options.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function resolveShared<T>(
  read: ReadOptions<ReturnType<typeof sharedReaders<T>>>,
): ResolvedSharedOptions<T> {
  const { timeoutMs, maxTurnMs = defaultMaxTurnMs(timeoutMs), logger, logIds, name } = read
  return { ...read, maxTurnMs, logger: resolveLogger(logger, name), logId: resolveLogIds(logIds) }
}

function defaultMaxTurnMs(timeoutMs: number): number {
  return timeoutMs === Number.POSITIVE_INFINITY ? minDefaultTurnMs : Math.max(timeoutMs, minDefaultTurnMs)
}
