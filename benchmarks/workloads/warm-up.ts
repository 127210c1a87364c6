import type { MakeContender } from '../contender.ts'
import { makeIds } from '../session-ids.ts'

const hour = 3_600_000

/** Lets the engine compile the measured code: creations and uses in equal parts, of 120 000 sessions. */
export function warmUp(make: MakeContender): void {
  const ids = makeIds(20_000)
  for (let round = 0; round < 6; round += 1) {
    const contender = make({ timeoutMs: hour, intervalMs: hour })
    for (let use = 0; use < 2; use += 1) for (const id of ids) contender.getOrCreate(id)
    contender.close()
  }
}
