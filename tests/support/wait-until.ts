import { setTimeout as wait } from 'node:timers/promises'

const maxWaitMs = 60_000

/** Waits for an effect in another process or on a server, long enough for a busy machine. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now()
  while (!(await condition())) {
    if (performance.now() - startedAt > maxWaitMs) throw new Error(`Waited in vain for ${String(condition)}`)
    await wait(10)
  }
}
