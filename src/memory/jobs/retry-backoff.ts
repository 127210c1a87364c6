import { backoffMs, jitter } from '../../core/time/backoff.ts'

/** Pause after the first failed try, in milliseconds: long enough for a hiccup, short for a person. */
const firstMs = 100

/**
 * Longest pause, in milliseconds: a store that is down for an hour is not called more often than it can bear.
 */
const longestMs = 30_000

/**
 * Longest pause while the registry closes, in milliseconds: little time is left to find the store up again.
 */
const longestClosingMs = 1_000

/** Returns the pause after a failed try, with jitter. */
export function retryBackoffMs(
  attempt: number,
  { isAwaited, isClosing }: { readonly isAwaited: boolean; readonly isClosing: boolean },
): number {
  const maxMs = isAwaited ? firstMs : isClosing ? longestClosingMs : longestMs
  return jitter(backoffMs(attempt, { firstMs, maxMs }))
}
