import { CheckedCodec, checkCodec, type SessionCodec } from '../core/codec/codec.ts'
import { type OptionReaders, optional, readOptions, withDefault } from '../core/options/read-options.ts'
import {
  type ResolvedSharedOptions,
  resolveShared,
  type SharedOptions,
  sharedReaders,
} from '../core/options/shared-options.ts'
import { checkBoolean, checkInterval, checkLimit, checkOneOf } from '../core/options/validate.ts'
import type { Clock, FullClock } from '../core/time/clock.ts'
import { checkedClock } from './checked-clock.ts'
import { type CopyValue, createCopier } from './turns/value-copy.ts'

/** What to do with a new session at the cap. */
export type WhenFull = 'evict' | 'reject'

export interface SessionRegistryOptions<T> extends SharedOptions<T> {
  /**
   * How often the background sweep looks for sessions that are over and frees those that nobody comes back to.
   *
   * Milliseconds; 1 to 2_147_483_647, the longest delay that a timer keeps.
   *
   * @defaultValue 300_000 (5 minutes)
   */
  readonly intervalMs?: number | undefined
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
  /**
   * Whether a turn that rejects leaves the value as it was before it. A copy is taken as the turn begins: by `codec` if one is
   * given, else by `structuredClone`. A value that cannot be copied rejects the turn with `ERR_SESSION_VALUE_INVALID` before it
   * is called. A run that joins another one rolls nothing back, and neither does a stream that its reader leaves.
   *
   * @defaultValue false
   */
  readonly rollback?: boolean | undefined
  /** Turns values into text and back, to copy them for `rollback`. */
  readonly codec?: SessionCodec<T> | undefined
  /**
   * Whether `getOrCreate` keeps a copy of the id of a session that it creates, rather than the string that it was given.
   *
   * An id that was cut from a larger string (a cookie header, a URL) keeps all of that in memory as long as the session lives,
   * so that `maxSessions` bounds no memory. A copy of an id of 13 units or more takes 0.1 to 0.3 µs, more than all else that a
   * creation by `getOrCreate` takes, and later look-ups with the very same string take longer. `open`, `run`, `stream`,
   * `acquire`, `set` and `replace` always keep a copy.
   *
   * @defaultValue false
   */
  readonly copyIds?: boolean | undefined
  /**
   * Where time and timers come from; for tests.
   *
   * @defaultValue the globals, looked up at each use
   */
  readonly clock?: Clock | undefined
}

/** Options with every default filled in. */
export interface ResolvedOptions<T> extends ResolvedSharedOptions<T> {
  readonly intervalMs: number
  readonly maxSessions: number
  readonly whenFull: WhenFull
  readonly copyIds: boolean
  readonly clock: FullClock
  /** Copies the value before each turn; `undefined` where no turn is rolled back. */
  readonly copyValue: CopyValue<T> | undefined
}

const readers = {
  intervalMs: withDefault(5 * 60_000, checkInterval),
  maxSessions: withDefault(Number.POSITIVE_INFINITY, checkLimit),
  whenFull: withDefault<WhenFull>('evict', (name, given) => checkOneOf(name, given, ['evict', 'reject'])),
  rollback: withDefault(false, checkBoolean),
  codec: optional(checkCodec),
  copyIds: withDefault(false, checkBoolean),
  clock: (_, given) => checkedClock(given as Clock | undefined),
} satisfies OptionReaders<Omit<SessionRegistryOptions<unknown>, keyof SharedOptions<unknown>>>

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function resolveOptions<T>(options: SessionRegistryOptions<T> | undefined): ResolvedOptions<T> {
  const read = readOptions(options, { ...sharedReaders<T>({ archiveAttempts: 5 }), ...readers })
  const { intervalMs, maxSessions, whenFull, rollback, copyIds, clock } = read
  const codec = read.codec as SessionCodec<T> | undefined
  const copyValue = rollback
    ? createCopier(codec === undefined ? undefined : new CheckedCodec(codec))
    : undefined
  return { ...resolveShared(read), intervalMs, maxSessions, whenFull, copyIds, clock, copyValue }
}
