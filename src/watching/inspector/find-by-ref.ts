import { nextLoopIteration, realClock } from '../../core/time/clock.ts'
import { TimeSlice } from '../../core/time/time-slice.ts'
import type { InspectableRegistry } from './inspectable-registry.ts'

/**
 * Returns the id of the live session with a ref. A ref is a keyed hash, so ids are hashed until it is found,
 * in slices between which the event loop iterates.
 */
export async function findByRef(registry: InspectableRegistry, ref: string): Promise<string | undefined> {
  const slice = new TimeSlice(realClock)
  for await (const id of registry.keys()) {
    if (registry.ref(id) === ref) return id
    if (slice.isUsedUp())
      await new Promise<void>((resolve) => nextLoopIteration(resolve, { keepsAlive: true }))
  }
  return undefined
}
