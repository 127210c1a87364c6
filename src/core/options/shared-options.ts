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

/** The options that both registries have. */
export interface SharedOptions<T> {
  /**
   * Idle timeout: how long a session may stay without activity before it expires.
   *
   * Activity is `getOrCreate`, `get`, `set`, `touch`, `open`, and the end of a turn or hold; `peek`, `has`
   * and iteration are not. A session whose idle time equals this value has expired: from then on no call
   * finds it in memory.
   *
   * With a `store` or `load`, only memory is emptied: `open` and `run` bring the session back. To delete idle
   * sessions from a store, set `keepMs`.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit.
   *
   * @defaultValue 1_200_000 (20 minutes)
   */
  readonly timeoutMs?: number | undefined
  /**
   * Absolute timeout: how long after its creation a session expires, however active.
   *
   * A session that is held at that time expires as soon as it is released.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue Infinity
   */
  readonly maxAgeMs?: number | undefined
  /**
   * Makes the value of a new session. The `create` of a call takes precedence.
   *
   * An asynchronous one is for `open`, `run`, `stream` and `acquire`: calls that wait for one id share it,
   * and it has `loadTimeoutMs`. `getOrCreate` begins it, and throws `ERR_SESSION_NEEDS_OPEN`;
   * on Redis it waits as well.
   *
   * The type of the value is inferred from it, but an empty literal has none: give it, as in
   * `new SessionRegistry<string[]>({ create: () => [] })`.
   */
  readonly create?: CreateSession<T> | undefined
  /**
   * Returns the value of an archived session, for `open`, `run`, `stream` and `acquire`; `undefined` if there
   * is none.
   *
   * With it, `getOrCreate` of a session that is not in memory throws `ERR_SESSION_NEEDS_OPEN`, since it
   * cannot wait.
   */
  readonly load?: LoadSession<T> | undefined
  /**
   * Stores the value of a session before the session ends by `idle`, `age`, `capacity` or `closed`. Not
   * called for `deleted` and `replaced`.
   *
   * It may be called more than once for one incarnation: use `session.incarnation` as the idempotency key. A
   * rejection is retried; after the last attempt the session is restored alive (on Redis it is
   * dead-lettered).
   *
   * In one process, if fewer than `archiveConcurrency` are running, the first attempt begins before the call
   * that ends the session returns: what the hook does before its first `await` runs inside that call.
   */
  readonly archive?: ArchiveSession<T> | undefined
  /**
   * The most archives that run at once.
   *
   * An integer of at least 1.
   *
   * @defaultValue 8
   */
  readonly archiveConcurrency?: number | undefined
  /**
   * The number of attempts to archive a session. After the last one, a session in memory is restored alive;
   * on Redis it is dead-lettered.
   *
   * The pauses between them double from 100 ms to at most 30 s (on Redis from 200 ms to at most 2 minutes),
   * and each is shortened at random, by up to half. In memory a pause is at most 100 ms while a call waits
   * for the id, and at most 1 s in `close`.
   *
   * An integer of at least 1.
   *
   * @defaultValue 5 (12 on Redis)
   */
  readonly archiveAttempts?: number | undefined
  /**
   * The longest time that one attempt to archive may take. Then its signal aborts and it counts as failed.
   *
   * Milliseconds; an integer of at least 1.
   *
   * @defaultValue 30_000
   */
  readonly archiveTimeoutMs?: number | undefined
  /**
   * The longest time that one `load`, read of a store, or asynchronous `create` may take. Then its signal
   * aborts and its callers are rejected with `ERR_SESSION_LOAD_TIMEOUT`. The place of a `create` in
   * `maxSessions` is free then, whatever it still does.
   *
   * Milliseconds; an integer of at least 1. Not `Infinity`: all calls of the id wait for it.
   *
   * @defaultValue 30_000
   */
  readonly loadTimeoutMs?: number | undefined
  /**
   * The longest time that one turn may hold its session. Then its signal aborts with
   * `ERR_SESSION_TURN_TIMEOUT`, and it has `turnGraceMs` to settle.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue 1_200_000 (20 minutes), or `timeoutMs` where that is longer and finite
   */
  readonly maxTurnMs?: number | undefined
  /**
   * The longest time that one hold lasts, unless its call sets another. Then it is released, with an `error`
   * event of `ERR_SESSION_TURN_TIMEOUT`.
   *
   * Milliseconds; positive, or `Infinity` for no limit.
   *
   * @defaultValue 86_400_000 (24 hours)
   */
  readonly maxHoldMs?: number | undefined
  /**
   * How long a turn keeps its session after its signal was aborted by `maxTurnMs` or by the deadline of
   * `close`. A turn that settles in that time succeeds or fails as usual. Afterwards `run` rejects and the
   * next turn starts. A stream has the same time for its clean-up after its signal was aborted, for any
   * reason, while nothing was being read.
   *
   * Milliseconds; zero, positive, or `Infinity`.
   *
   * @defaultValue 5_000
   */
  readonly turnGraceMs?: number | undefined
  /**
   * How long a turn may wait, and how long it may run, before a log line of level `warn` names its session:
   * one of each per turn, and none for a nested turn. Nothing else happens to the turn.
   *
   * Milliseconds; positive, or `Infinity` for no such lines. Without a `logger` that writes `warn`, it costs
   * nothing.
   *
   * @defaultValue 30_000
   */
  readonly slowTurnMs?: number | undefined
  /**
   * The most turns that may wait for one session. A further one is rejected with `ERR_SESSION_QUEUE_FULL`.
   *
   * An integer of at least 0, or `Infinity`.
   *
   * @defaultValue 1_000
   */
  readonly maxWaiting?: number | undefined
  /**
   * How long `whyGone` knows that a session has ended. Only keyed hashes are kept, without ids and values.
   *
   * On Redis, give every process the same. With `Infinity`, the tombstones of a shard lapse there when no
   * session of it has ended for a year: no key stays for ever.
   *
   * Milliseconds; zero, positive, or `Infinity`.
   *
   * @defaultValue 0
   */
  readonly tombstoneMs?: number | undefined
  /**
   * Where log lines go: nowhere (`false`), to the library's own pino logger at `info` (`true`), or to a given
   * logger.
   *
   * The value of a session is never logged.
   *
   * @defaultValue false
   */
  readonly logger?: boolean | Logger | undefined
  /**
   * How ids appear in log lines: as a keyed hash (HMAC, one key per process), as they are, or as your
   * function returns them.
   *
   * @defaultValue 'hashed'
   */
  readonly logIds?: LogIds | undefined
  /**
   * The name of the registry in log lines and in the messages of channels. A non-empty string.
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
  readonly slowTurnMs: number
  readonly maxWaiting: number
  readonly tombstoneMs: number
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
    slowTurnMs: withDefault(30_000, checkPositive),
    maxWaiting: withDefault(1_000, checkWhole),
    tombstoneMs: withDefault(0, checkNotNegative),
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

/** Returns the default of `maxTurnMs`, in milliseconds. */
export function defaultMaxTurnMs(timeoutMs: number): number {
  return timeoutMs === Number.POSITIVE_INFINITY ? minDefaultTurnMs : Math.max(timeoutMs, minDefaultTurnMs)
}
