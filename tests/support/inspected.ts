import type { InspectedSession, SessionRegistry } from 'session-registry'
import { expect } from 'vitest'

/** Returns the entries of `inspect()` without their refs, each of which is that of the id. */
export function inspect(registry: SessionRegistry<string[]>): Omit<InspectedSession, 'ref'>[] {
  return registry.inspect().map(({ ref, ...entry }) => {
    expect(ref).toBe(registry.ref(entry.id))
    return entry
  })
}
