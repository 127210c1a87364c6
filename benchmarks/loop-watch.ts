// Taken before any work can shift the clock.
const now = performance.now.bind(performance)

/** What the event loop was like while something happened in the background. */
export interface LoopReading {
  /** The longest time between two turns of the loop. */
  readonly longestBlockMs: number
  /** When `isDone` was first true; `Infinity` where the limit came first. */
  readonly doneAfterMs: number
}

/** Goes round the event loop until `isDone`, and for `limitMs` at most. */
export async function watchLoop(isDone: () => boolean, limitMs: number): Promise<LoopReading> {
  const startedAt = now()
  let longestBlockMs = 0
  let last = startedAt
  for (;;) {
    await new Promise(setImmediate)
    const at = now()
    longestBlockMs = Math.max(longestBlockMs, at - last)
    last = at
    if (isDone()) return { longestBlockMs, doneAfterMs: at - startedAt }
    if (at - startedAt >= limitMs) return { longestBlockMs, doneAfterMs: Number.POSITIVE_INFINITY }
  }
}
