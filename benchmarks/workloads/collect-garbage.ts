/** Twice, with a turn of the loop before each: what timers and promises have let go goes as well. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
}
