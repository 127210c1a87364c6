/**
 * Collects twice, after an event-loop iteration each, so that objects of settled promises and timers go too.
 */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
}
