import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { Session } from '../../core/session.ts'
import { keepMsOf } from '../../core/session-lifetime.ts'
import { systemClock } from '../../core/time/clock.ts'

/**
 * The ages of sessions, in milliseconds, at which their cookies expire, by the value that was stored.
 *
 * The age advances with the registry's monotonic clock: a wall clock that is set back prolongs no session. A
 * value that was read from a store or from Redis is not in here; then the wall clock alone decides.
 */
const expiryAges = new WeakMap<object, number>()

/** The share of its remaining time by which a session may outlast its cookie in memory. Reads are exact. */
const slack = 1 / 64

/**
 * Returns the milliseconds until the cookie of a session expires, zero or less if it has; `undefined` for a
 * cookie that lasts as long as the browser runs.
 */
export function remainingMs({ value, ageMs }: Session<object>): number | undefined {
  const byDate = untilExpiry(value)
  if (byDate === undefined) return undefined
  const expiryAge = expiryAges.get(value)
  return expiryAge === undefined ? byDate : Math.min(byDate, expiryAge - ageMs)
}

/** Returns the milliseconds until the cookie in a session's data expires, by the wall clock. */
export function untilExpiry(data: unknown): number | undefined {
  const cookie = (data as { readonly cookie?: { readonly expires?: unknown } } | null | undefined)?.cookie
  const expires = cookie?.expires
  // express-session documents `false` for a cookie that lasts as long as the browser runs.
  if (typeof expires !== 'string' && typeof expires !== 'number' && typeof expires !== 'object') {
    return undefined
  }
  if (expires === null) return undefined
  const expiresAt = new Date(expires as Date).getTime()
  return Number.isNaN(expiresAt) ? undefined : expiresAt - systemClock.date()
}

/**
 * Assigns the value of a session that was written, and the time to live of its cookie as the idle timeout; a
 * cookie without one leaves the registry's.
 */
export function assignData(session: Session<object>, data: object): void {
  const leftMs = untilExpiry(data)
  // First, since a timeout that the registry refuses must leave the value as it is.
  if (leftMs !== undefined) session.timeoutMs = toTimeout(leftMs)
  else if (untilExpiry(session.value) !== undefined) session.timeoutMs = undefined
  if (leftMs !== undefined) expiryAges.set(data, session.ageMs + leftMs)
  session.value = data
}

/**
 * Sets the idle timeout of a session that was read to what is left of its cookie, since a read must not
 * prolong it. One that differs little is left: with a store, each change is a write.
 */
export function limitTimeout(session: Session<object>, leftMs: number): void {
  const timeoutMs = toTimeout(leftMs)
  if (Math.abs(session.timeoutMs - timeoutMs) > timeoutMs * slack) session.timeoutMs = timeoutMs
}

/** Returns the longest that a cookie of a registry's sessions may last, in milliseconds. */
export function longestCookieMs(registry: object): number {
  return keepMsOf(registry) / 2
}

/**
 * Checks that a session is kept for as long as its cookie lasts.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function assertKept(registry: object, data: object): void {
  const longestMs = longestCookieMs(registry)
  const leftMs = untilExpiry(data)
  if (leftMs === undefined || leftMs <= longestMs) return
  throw new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    `Expected the cookie's \`maxAge\` (or \`expires\`) to be at most ${longestMs} ms ahead, half of the registry's \`keepMs\`, got ${leftMs} (number)`,
  )
}

/** The shortest idle timeout for a cookie that has expired, so that the registry ends the session. */
function toTimeout(leftMs: number): number {
  return Math.max(Math.ceil(leftMs), 1)
}
