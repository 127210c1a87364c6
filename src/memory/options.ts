import { CheckedCodec, checkCodec, type SessionCodec } from '../core/codec/codec.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import type { DisposeSession } from '../core/hooks.ts'
import { type OptionReaders, optional, readOptions, withDefault } from '../core/options/read-options.ts'
import {
  type ResolvedSharedOptions,
  resolveShared,
  type SharedOptions,
  sharedReaders,
} from '../core/options/shared-options.ts'
import {
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
  checkOneOf,
  checkPositive,
  invalidOption,
} from '../core/options/validate.ts'
import type { Clock, FullClock } from '../core/time/clock.ts'
import { checkedClock } from './checked-clock.ts'
import { disposeOwn } from './disposal/dispose-own.ts'
import { type CopyValue, createCopier } from './turns/value-copy.ts'

/** What happens to a new session at the cap. */
export type WhenFull = 'evict' | 'reject'

/** Options of a {@link SessionRegistry}. All are optional; an unknown one is refused. */
export interface SessionRegistryOptions<T> extends SharedOptions<T>, StoreOptions {
  /**
   * The interval of the background sweep, which removes expired sessions whose ids are not used again: their
   * `expired` event comes up to this much after the deadline.
   *
   * Milliseconds; 1 to 2_147_483_647, the longest delay that a timer keeps.
   *
   * @defaultValue 300_000 (5 minutes)
   */
  readonly intervalMs?: number | undefined
  /**
   * The most sessions in memory, including those that are being archived, disposed of or created.
   *
   * An integer of at least 1, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly maxSessions?: number | undefined
  /**
   * What happens at the cap: the least recently active session that is not held is evicted, or the new one is
   * rejected with `ERR_SESSION_REGISTRY_FULL`. Expired sessions are removed first in either case.
   *
   * @defaultValue 'evict'
   */
  readonly whenFull?: WhenFull | undefined
  /**
   * Whether a turn that throws or times out leaves the value as it was before the turn. A turn whose save
   * failed is not rolled back.
   *
   * A copy is taken as the turn begins: by `codec` if there is one, else by `structuredClone`. A value that
   * cannot be copied rejects the turn with `ERR_SESSION_VALUE_INVALID` before it is called. A run that joins
   * another turn rolls nothing back, nor does a stream that is closed early.
   *
   * @defaultValue false
   */
  readonly rollback?: boolean | undefined
  /**
   * Encodes values as text, and decodes them: for the `store`, and to copy them for `rollback`.
   *
   * @defaultValue JSON for the store, `structuredClone` for `rollback`
   */
  readonly codec?: SessionCodec<T> | undefined
  /**
   * The most sessions of one owner in memory, including those that are being archived, disposed of or
   * created.
   *
   * An integer of at least 1, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly maxPerOwner?: number | undefined
  /**
   * What happens to a new session at the cap of its owner: the owner's least recently active session that is
   * not held is evicted, or the new one is rejected with `ERR_SESSION_OWNER_FULL`. Expired sessions end
   * first.
   *
   * @defaultValue 'evict'
   */
  readonly whenOwnerFull?: WhenFull | undefined
  /**
   * The most ended sessions that `whyGone` knows: the last ones. At most 32 bytes each.
   *
   * An integer of at least 1.
   *
   * @defaultValue 10_000
   */
  readonly maxTombstones?: number | undefined
  /**
   * Releases what a value holds, such as a process or a socket: called once for each value whose session has
   * ended, whatever the reason, after it was archived. `true`: the value's own `Symbol.asyncDispose` or
   * `Symbol.dispose`.
   *
   * It is awaited before `expired` and `ended` are emitted. Until then the session counts towards
   * `maxSessions`, and `open` and `run` of its id wait. A failure is an `error` event of
   * `ERR_SESSION_DISPOSE_FAILED`.
   */
  readonly dispose?: DisposeSession<T> | true | undefined
  /**
   * The longest time that one `dispose` may take. Then its signal aborts, and the session has ended
   * nevertheless: its place in `maxSessions` is free, whatever the hook still does.
   *
   * Milliseconds; positive, or `Infinity`.
   *
   * @defaultValue 30_000
   */
  readonly disposeTimeoutMs?: number | undefined
  /**
   * Whether `getOrCreate` keeps a copy of the id of a session that it creates, not the string that it was
   * passed.
   *
   * An id that was cut from a larger string (a cookie header, a URL) keeps all of that in memory while the
   * session exists, so that `maxSessions` does not bound memory. The copy costs more than the rest of a
   * creation, and later look-ups with the very same string are slower; see `docs/design/decisions.md`.
   * `open`, `run`, `stream`, `acquire`, `set` and `replace` always keep a copy.
   *
   * @defaultValue false
   */
  readonly copyIds?: boolean | undefined
  /**
   * The source of time and timers; for tests.
   *
   * @defaultValue the globals, looked up at each use
   */
  readonly clock?: Clock | undefined
}

/** {@link SessionRegistryOptions} with every default filled in. */
export interface ResolvedOptions<T> extends ResolvedSharedOptions<T> {
  readonly intervalMs: number
  readonly maxSessions: number
  readonly whenFull: WhenFull
  readonly copyIds: boolean
  readonly clock: FullClock
  /** `undefined` where values hold nothing. */
  readonly dispose: DisposeSession<T> | undefined
  readonly disposeTimeoutMs: number
  readonly maxPerOwner: number
  readonly whenOwnerFull: WhenFull
  readonly maxTombstones: number
  /** Copies the value before each turn; `undefined` where no turn is rolled back. */
  readonly copyValue: CopyValue<T> | undefined
  /** `undefined` without a store. */
  readonly storage: ResolvedStoreOptions<T> | undefined
}

const readers = {
  intervalMs: withDefault(5 * 60_000, checkInterval),
  maxSessions: withDefault(Number.POSITIVE_INFINITY, checkLimit),
  whenFull: withDefault<WhenFull>('evict', (name, given) => checkOneOf(name, given, ['evict', 'reject'])),
  rollback: withDefault(false, checkBoolean),
  codec: optional(checkCodec),
  copyIds: withDefault(false, checkBoolean),
  maxTombstones: withDefault(10_000, checkCount),
  maxPerOwner: withDefault(Number.POSITIVE_INFINITY, checkLimit),
  whenOwnerFull: withDefault<WhenFull>('evict', (name, given) =>
    checkOneOf(name, given, ['evict', 'reject']),
  ),
  dispose: optional(checkDispose),
  disposeTimeoutMs: withDefault(30_000, checkPositive),
  clock: (_, given) => checkedClock(given as Clock | undefined),
  ...storeReaders,
} satisfies OptionReaders<Omit<SessionRegistryOptions<unknown>, keyof SharedOptions<unknown>>>

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function resolveOptions<T>(options: SessionRegistryOptions<T> | undefined): ResolvedOptions<T> {
  const read = readOptions(options, { ...sharedReaders<T>({ archiveAttempts: 5 }), ...readers })
  const { intervalMs, maxSessions, whenFull, rollback, copyIds, clock } = read
  const codec = read.codec as SessionCodec<T> | undefined
  const copyValue = rollback
    ? createCopier(codec === undefined ? undefined : new CheckedCodec(codec))
    : undefined
  const { dispose, disposeTimeoutMs, maxPerOwner, whenOwnerFull, maxTombstones } = read
  if (rollback && dispose !== undefined) throw rollbackBesideDisposeError()
  const storage = resolveStore<T>({ ...read, codec })
  return {
    ...resolveShared(read),
    storage,
    dispose,
    disposeTimeoutMs,
    maxPerOwner,
    whenOwnerFull,
    maxTombstones,
    intervalMs,
    maxSessions,
    whenFull,
    copyIds,
    clock,
    copyValue,
  }
}

function checkDispose(name: string, value: unknown): DisposeSession<unknown> {
  if (value === true) return disposeOwn
  if (typeof value === 'function') return value as DisposeSession<unknown>
  throw invalidOption(name, 'a function or true', value)
}

function rollbackBesideDisposeError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected either `rollback` or `dispose`, got both: a copy of what a value holds cannot be put back',
  )
}
