import type { CreateSession } from '../hooks.ts'
import { checkNotNegative, checkObject, checkOptions, checkPositive, invalidOption } from './validate.ts'

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
  /**
   * To whom the session belongs. One that is created is bound to it; one that belongs to another owner, or to
   * no one, is refused with `ERR_SESSION_NOT_OWNER`.
   *
   * A non-empty string of at most 1 024 UTF-16 units.
   */
  readonly owner?: string | undefined
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
  /**
   * To whom the session belongs. One that is created is bound to it; one that belongs to another owner, or to
   * no one, is refused with `ERR_SESSION_NOT_OWNER`.
   *
   * A non-empty string of at most 1 024 UTF-16 units.
   */
  readonly owner?: string | undefined
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
  /** To whom the session has to belong; see {@link OpenOptions.owner}. */
  readonly owner?: string | undefined
}

/** Options of one call of `acquire`, which is `open` and `hold` in one step. */
export interface AcquireOptions<T = never> extends OpenOptions<T>, HoldOptions {}

/** Options of one call of `whyGone`. */
export interface WhyGoneOptions {
  /**
   * The owner that the session must have had. If it had another owner, or none, the result is `undefined`.
   *
   * A non-empty string of at most 1 024 UTF-16 units.
   */
  readonly owner?: string | undefined
}

/** Options of one call of `close`. */
export interface CloseOptions {
  /**
   * How long running turns may take to end. Then the archives have as long again; on Redis turns and archives
   * share one deadline.
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

/** The options of a call that may create a session. */
export interface CheckedCreate {
  readonly timeoutMs: number | undefined
  readonly owner: string | undefined
}

const createOptionNames = ['timeoutMs', 'owner']

const noOptions: CheckedCreate = { timeoutMs: undefined, owner: undefined }

/**
 * Each creation with an owner pays for this, so it reads the usual options without an object between.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkCreateOptions(options: CreateOptions | undefined): CheckedCreate {
  if (options === undefined) return noOptions
  let timeoutMs: number | undefined
  let owner: string | undefined
  for (const key of Object.keys(checkObject('options', options))) {
    if (key === 'owner') owner = optionalOwner(options.owner)
    else if (key === 'timeoutMs' && options.timeoutMs !== undefined)
      timeoutMs = checkPositive('timeoutMs', options.timeoutMs)
    else if (key !== 'timeoutMs') checkOptions('options', options, createOptionNames)
  }
  return { timeoutMs, owner }
}

/** The longest owner, in UTF-16 units. */
const maxOwnerLength = 1024

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkOwner(name: string, owner: unknown): string {
  if (typeof owner === 'string' && owner.length > 0 && owner.length <= maxOwnerLength) return owner
  throw invalidOption(name, `a non-empty string of at most ${maxOwnerLength} UTF-16 units`, owner)
}

function optionalOwner(owner: unknown): string | undefined {
  return owner === undefined ? undefined : checkOwner('owner', owner)
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
  readonly owner: string | undefined
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkOpen<T>(options: OpenOptions<T> | undefined): CheckedOpen<T> {
  const { create, signal, owner } = checkOptions('options', options, ['create', 'signal', 'owner'])
  return { create: checkCreate(create), signal: checkSignal(signal), owner: optionalOwner(owner) }
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
  const known = ['create', 'signal', 'maxMs', 'owner']
  const { create, signal, maxMs, owner } = checkOptions('options', options, known)
  return {
    create: checkCreate(create),
    signal: checkSignal(signal),
    maxMs: checkMaxMs(maxMs, maxHoldMs),
    owner: optionalOwner(owner),
  }
}

/** The options of a `hold` with every default filled in. */
export interface CheckedHold {
  readonly maxMs: number
  readonly owner: string | undefined
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkHold(options: HoldOptions | undefined, maxHoldMs: number): CheckedHold {
  const { maxMs, owner } = checkOptions('options', options, ['maxMs', 'owner'])
  return { maxMs: checkMaxMs(maxMs, maxHoldMs), owner: optionalOwner(owner) }
}

/**
 * Returns the owner of a `whyGone`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkWhyGone(options: WhyGoneOptions | undefined): string | undefined {
  return optionalOwner(checkOptions('options', options, ['owner']).owner)
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
