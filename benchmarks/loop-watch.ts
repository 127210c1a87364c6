// Taken before any work can shift the clock.
const now = performance.now.bind(performance)

/** What the event loop was like while something happened in the background. */
export interface LoopReading {
  /** The longest time between two turns of the loop. */
  readonly longestHoldMs: number
  /** When `isDone` was first true; `Infinity` where the limit came first. */
  readonly doneAfterMs: number
}

/** Goes round the event loop until `isDone`, and for `limitMs` at most. */
export async function watchLoop(isDone: () => boolean, limitMs: number): Promise<LoopReading> {
  const startedAt = now()
  let longestHoldMs = 0
  let last = startedAt
  for (;;) {
    await new Promise(setImmediate)
    const at = now()
    longestHoldMs = Math.max(longestHoldMs, at - last)
    last = at
    if (isDone()) return { longestHoldMs, doneAfterMs: at - startedAt }
    if (at - startedAt >= limitMs) return { longestHoldMs, doneAfterMs: Number.POSITIVE_INFINITY }
  }
}
