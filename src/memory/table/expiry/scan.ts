import type { Slot } from '../layout.ts'

/** Sessions that one call of a scan may move before it pauses: a few microseconds of work. */
export const maxStepsPerScan = 64

/**
 * What one call of a scan for expired sessions returns: a session, `noSlot` when there are no more, or
 * `'paused'` so that the caller can look at the clock between long runs of sessions that are not expired
 * after all.
 *
 * The caller removes a session before the next call. Anything may happen to the table between two calls.
 */
export type ScanResult = Slot | 'paused'
