/** The growth of the pauses between tries of one piece of work. */
export interface Backoff {
  /** Pause after the first try, in milliseconds. */
  readonly firstMs: number
  /** Longest pause, in milliseconds. */
  readonly maxMs: number
  /** How many times longer each pause is than the one before; 2 by default. */
  readonly factor?: number
}

/** Returns the pause after a try, the tries counted from 1, before {@link jitter}. */
export function backoffMs(attempt: number, { firstMs, maxMs, factor = 2 }: Backoff): number {
  return Math.min(firstMs * factor ** (attempt - 1), maxMs)
}

/** Returns a time between half of `ms` and all of it, so that tries that failed together do not come back together. */
export function jitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}
