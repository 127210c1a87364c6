import { checkNotNegative, checkOptions, checkPositive } from './validate.ts'

/** Options of one call that may create a session. */
export interface CreateOptions {
  /**
   * The idle timeout of the session, if it is created now; on a live one it is ignored.
   *
   * Milliseconds; positive, or `Infinity`.
   *
   * @defaultValue the registry's `timeoutMs`
   */
  readonly timeoutMs?: number | undefined
}

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

/** As long as most supervisors wait between SIGTERM and SIGKILL, or less. */
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
