import { setTimeout as wait } from 'node:timers/promises'

const patienceMs = 60_000

/** Waits for what happens in another process or on a server, however long a busy machine takes over it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > patienceMs) throw new Error(`Waited in vain for ${String(holds)}`)
    await wait(10)
  }
}
