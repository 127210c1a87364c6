/** The growth of the pauses between attempts at one piece of work. */
export interface Backoff {
  /** The pause after the first attempt, in milliseconds. */
  readonly firstMs: number
  /** The longest pause, in milliseconds. */
  readonly maxMs: number
  /** The ratio of each pause to the one before; 2 by default. */
  readonly factor?: number
}

/** Returns the pause after an attempt, counted from 1, before {@link jitter}. */
export function backoffMs(attempt: number, { firstMs, maxMs, factor = 2 }: Backoff): number {
  return Math.min(firstMs * factor ** (attempt - 1), maxMs)
}

/** Returns a random time between half of `ms` and `ms`, so that concurrent waits do not end together. */
export function jitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}
