import type { CreateSession } from '../hooks.ts'
import { checkNotNegative, checkOptions, checkPositive, invalidOption } from './validate.ts'

/** Options of one call that may create a session. */
export interface CreateOptions {
  /**
   * The idle timeout of a session that this call creates; ignored if there is a live one.
   *
   * Milliseconds; positive, or `Infinity`.
   *
   * @defaultValue the registry's `timeoutMs`
   */
  readonly timeoutMs?: number | undefined
}

/** Options of one call of `open`. */
export interface OpenOptions<T = never> {
  /**
   * Whether a session is created where there is none, nor one to load. With `false` the result is then
   * `undefined`. A function makes the value of the new session, instead of the registry's `create`.
   *
   * @defaultValue true
   */
  readonly create?: boolean | CreateSession<T> | undefined
  /** Ends the wait when it aborts; the call then rejects with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** Options of one call of `hold`. */
export interface HoldOptions {
  /**
   * The longest time that the hold lasts, from the call or its last `renew`.
   *
   * Milliseconds; positive, or `Infinity`.
   *
   * @defaultValue the registry's `maxHoldMs`
   */
  readonly maxMs?: number | undefined
}

/** Options of one call of `acquire`, which is `open` and `hold` in one step. */
export interface AcquireOptions<T = never> extends OpenOptions<T>, HoldOptions {}

export interface CloseOptions {
  /**
   * How long running turns may take to end, and then archives once more.
   *
   * Milliseconds; zero, positive, or `Infinity`.
   *
   * @defaultValue 10_000
   */
  readonly deadlineMs?: number | undefined
}

/**
 * Default of `deadlineMs`, in milliseconds: no longer than most supervisors wait between SIGTERM and SIGKILL.
 */
const defaultDeadlineMs = 10_000

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkTimeout(options: CreateOptions | undefined): number | undefined {
  if (options === undefined) return undefined
  const { timeoutMs } = checkOptions('options', options, ['timeoutMs'])
  return timeoutMs === undefined ? undefined : checkPositive('timeoutMs', timeoutMs)
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkDeadline(options: CloseOptions | undefined): number {
  const { deadlineMs = defaultDeadlineMs } = checkOptions('options', options, ['deadlineMs'])
  return checkNotNegative('deadlineMs', deadlineMs)
}

/** The options of an `open` with every default filled in. */
export interface CheckedOpen<T> {
  readonly create: boolean | CreateSession<T>
  readonly signal: AbortSignal | undefined
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkOpen<T>(options: OpenOptions<T> | undefined): CheckedOpen<T> {
  const { create, signal } = checkOptions('options', options, ['create', 'signal'])
  return { create: checkCreate(create), signal: checkSignal(signal) }
}

/** The options of an `acquire` with every default filled in. */
export interface CheckedAcquire<T> extends CheckedOpen<T> {
  readonly maxMs: number
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkAcquire<T>(
  options: AcquireOptions<T> | undefined,
  maxHoldMs: number,
): CheckedAcquire<T> {
  const { create, signal, maxMs } = checkOptions('options', options, ['create', 'signal', 'maxMs'])
  return { create: checkCreate(create), signal: checkSignal(signal), maxMs: checkMaxMs(maxMs, maxHoldMs) }
}

/**
 * Returns the longest time that a hold may last, in milliseconds.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkHold(options: HoldOptions | undefined, maxHoldMs: number): number {
  return checkMaxMs(checkOptions('options', options, ['maxMs']).maxMs, maxHoldMs)
}

function checkMaxMs(maxMs: number | undefined, maxHoldMs: number): number {
  return maxMs === undefined ? maxHoldMs : checkPositive('maxMs', maxMs)
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkCreate<T>(create: boolean | CreateSession<T> | undefined): boolean | CreateSession<T> {
  if (create === undefined) return true
  if (typeof create === 'boolean' || typeof create === 'function') return create
  throw invalidOption('create', 'a boolean or a function', create)
}

/**
 * Returns an `AbortSignal`, which may be of another realm or of a polyfill.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const isUsable =
    typeof signal === 'object' &&
    signal !== null &&
    typeof signal.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function'
  if (!isUsable) throw invalidOption('signal', 'an AbortSignal', signal)
  return signal
}
