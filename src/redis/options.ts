import { CheckedCodec, checkCodec, hasLoneSurrogate, type SessionCodec } from '../core/codec/codec.ts'
import { jsonCodec } from '../core/codec/json-codec.ts'
import { type OptionReaders, readOptions, withDefault } from '../core/options/read-options.ts'
import {
  type ResolvedSharedOptions,
  resolveShared,
  type SharedOptions,
  sharedReaders,
} from '../core/options/shared-options.ts'
import {
  maxTimeoutOf,
  type ResolvedStoreOptions,
  resolveStore,
  type StoreOptions,
  storeReaders,
} from '../core/options/store-options.ts'
import {
  checkBoolean,
  checkCount,
  checkInterval,
  checkLimit,
  invalidNumber,
  invalidOption,
} from '../core/options/validate.ts'
import { maxDelayMs } from '../core/time/clock.ts'
import { detectClient, type RedisClient, type RunScript } from './client/client.ts'
import { rejectUnsupportedOptions } from './unsupported-options.ts'

/** Options of a {@link RedisSessionRegistry}. Only `client` is required; an unknown one is refused. */
export interface RedisSessionRegistryOptions<T>
  extends SharedOptions<T>,
    Omit<StoreOptions, 'save' | 'store'> {
  /**
   * The client: node-redis (5 or newer), ioredis (5 or newer), iovalkey or GLIDE, of one server or a cluster;
   * or any other through an object with `run`, see {@link ScriptClient}.
   *
   * It stays yours: `close` leaves it open.
   */
  readonly client: RedisClient
  /**
   * The prefix of the names of all keys. Registries with the same prefix share their sessions.
   *
   * A non-empty string without braces.
   *
   * @defaultValue 'sessions'
   */
  readonly prefix?: string | undefined
  /**
   * The number of shards into which the sessions are divided; a cluster spreads them over its nodes. It
   * cannot be changed while there are data: the first call then rejects with `ERR_SESSION_SHARDS_MISMATCH`.
   *
   * An integer from 1 to 4_096.
   *
   * @defaultValue 16
   */
  readonly shards?: number | undefined
  /**
   * How long a process that died or hangs can block a turn, or the archive of a session.
   *
   * A process that does not renew for so long, since its event loop is blocked or Redis does not reply, may
   * lose its turns to others. Leases are renewed every third of it.
   *
   * Milliseconds; 1 to 2_147_483_647.
   *
   * @defaultValue 30_000
   */
  readonly leaseMs?: number | undefined
  /**
   * How long the data of an expired session wait for a process that archives them, and how long dead letters
   * are kept. Afterwards they are lost.
   *
   * Milliseconds; an integer of at least 1.
   *
   * @defaultValue 604_800_000 (7 days)
   */
  readonly retentionMs?: number | undefined
  /**
   * The most sessions that may be live at once. It applies per shard: `maxSessions / shards`, rounded up.
   *
   * A creation in a full shard rejects with `ERR_SESSION_REGISTRY_FULL`; no session is evicted. Expired
   * sessions do not count, archived or not.
   *
   * An integer of at least 1, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly maxSessions?: number | undefined
  /**
   * Whether this process ends and archives expired sessions. `false` makes it an observer, whatever `archive`
   * and `store` are.
   *
   * A process without `archive` and `store` claims nothing either while processes with one of them have been
   * seen within a day, and warns once. An observer does not warn.
   *
   * @defaultValue true
   */
  readonly archives?: boolean | undefined
  /**
   * The longest pause between two checks of the deadlines. They begin with the first call of the registry.
   *
   * Milliseconds; 1 to 2_147_483_647, or `Infinity`: this process archives nothing in the background.
   *
   * @defaultValue 1_000
   */
  readonly intervalMs?: number | undefined
  /**
   * How long a call of Redis is repeated while no reply comes. Then it rejects with
   * `ERR_SESSION_BACKEND_UNAVAILABLE`, and what has not run by then does not run later.
   *
   * Milliseconds; an integer of at least 1, the same in every process.
   *
   * @defaultValue 5_000
   */
  readonly callTimeoutMs?: number | undefined
  /**
   * The store that keeps sessions durably once they have expired, instead of `load` and `archive`: `open`,
   * `run`, `stream` and `acquire` read a session that is not in Redis. While it is in Redis, the store may
   * have an older state, or none.
   *
   * Give every process the same store. It is closed with the registry.
   */
  readonly store?: StoreOptions['store']
  /**
   * When sessions are written to the store: here always when they end. {@link RedisSessionRegistry.save}
   * writes one earlier.
   *
   * @defaultValue 'end'
   */
  readonly save?: 'end' | undefined
  /**
   * Encodes values as text, and decodes them.
   *
   * @defaultValue JSON
   */
  readonly codec?: SessionCodec<T> | undefined
}

/** {@link RedisSessionRegistryOptions} with every default filled in. */
export interface ResolvedRedisOptions<T> extends ResolvedSharedOptions<T> {
  readonly run: RunScript
  readonly prefix: string
  readonly shards: number
  readonly leaseMs: number
  readonly retentionMs: number
  readonly intervalMs: number
  readonly callTimeoutMs: number
  /** The most live sessions per shard, or `Infinity`. */
  readonly maxPerShard: number
  readonly archives: boolean
  readonly codec: CheckedCodec<T>
  /** `undefined` without a store. */
  readonly storage: ResolvedStoreOptions<T> | undefined
  /** The longest idle timeout that a session may have of its own, in milliseconds. */
  readonly maxTimeoutMs: number
  /** Whether there is a store or a `load` hook. */
  readonly canLoad: boolean
  /** Whether there is a store or an `archive` hook. */
  readonly canArchive: boolean
}

/** Returns how long the data of a session that is no longer used may exist, in milliseconds. */
export function maxLifetimeOf<T>(
  { maxAgeMs, leaseMs, retentionMs }: ResolvedRedisOptions<T>,
  timeoutMs: number,
): number {
  return Math.min(timeoutMs, maxAgeMs) + leaseMs + retentionMs
}

/**
 * Returns how long the backlog keeps the name of a state that a process loads: longer than the load and its
 * creation take, in milliseconds.
 */
export function loadWindowMs<T>({ loadTimeoutMs, callTimeoutMs }: ResolvedRedisOptions<T>): number {
  return loadTimeoutMs + 2 * callTimeoutMs
}

const maxShards = 4_096

const readers = {
  client: (_, given) => detectClient(given),
  prefix: withDefault('sessions', checkPrefix),
  shards: withDefault(16, checkShards),
  leaseMs: withDefault(30_000, checkInterval),
  retentionMs: withDefault(7 * 24 * 3_600_000, checkCount),
  maxSessions: withDefault(Number.POSITIVE_INFINITY, checkLimit),
  archives: withDefault(true, checkBoolean),
  intervalMs: withDefault(1_000, checkPollInterval),
  callTimeoutMs: withDefault(5_000, checkCount),
  codec: withDefault<SessionCodec<unknown>>(jsonCodec, checkCodec),
  ...storeReaders,
  save: withDefault<'end'>('end', checkSave),
} satisfies OptionReaders<Omit<RedisSessionRegistryOptions<unknown>, keyof SharedOptions<unknown>>>

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function resolveRedisOptions<T>(options: RedisSessionRegistryOptions<T>): ResolvedRedisOptions<T> {
  if (options === undefined) throw invalidOption('options', 'an object', options)
  const allReaders = { ...sharedReaders<T>({ archiveAttempts: 12 }), ...readers }
  const { client, maxSessions, ...read } = readOptions(options, allReaders, rejectUnsupportedOptions(options))
  if (!Number.isFinite(read.timeoutMs) && !Number.isFinite(read.maxAgeMs)) {
    throw invalidNumber(
      'timeoutMs',
      'finite where `maxAgeMs` is not, so that no key is kept for ever',
      Infinity,
    )
  }
  const codec = read.codec as SessionCodec<T>
  const storage = resolveStore<T>({ ...read, codec })
  return {
    ...read,
    ...resolveShared(read),
    run: client,
    maxPerShard: Math.ceil(maxSessions / read.shards),
    codec: new CheckedCodec(codec),
    storage,
    maxTimeoutMs: maxTimeoutOf(storage),
    canLoad: read.load !== undefined || storage !== undefined,
    canArchive: read.archive !== undefined || storage !== undefined,
  }
}

function checkPrefix(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && !/[{}]/.test(value) && !hasLoneSurrogate(value))
    return value
  throw invalidOption(name, 'a non-empty string without braces', value)
}

function checkShards(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= maxShards)
    return value as number
  throw invalidNumber(name, `an integer from 1 to ${maxShards}`, value)
}

function checkSave(name: string, value: unknown): 'end' {
  if (value === 'end') return value
  throw invalidOption(name, "'end' on Redis, where a session is written to the store when it ends", value)
}

function checkPollInterval(name: string, value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value as number
  if (typeof value === 'number' && value >= 1 && value <= maxDelayMs) return value
  throw invalidNumber(name, `a number from 1 to ${maxDelayMs}, or Infinity`, value)
}
