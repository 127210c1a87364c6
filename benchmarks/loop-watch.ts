// Bound before a workload replaces the clock.
const now = performance.now.bind(performance)

/** Figures of the event loop during background work. */
export interface LoopReading {
  /** The longest time between two event-loop iterations. */
  readonly longestBlockMs: number
  /** The time until `isDone` was first true; `Infinity` if the limit came first. */
  readonly doneAfterMs: number
}

/** Iterates the event loop until `isDone`, at most for `limitMs`. */
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
