import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { EventRecorder } from './event-recorder.ts'

export interface ClockedRegistry {
  readonly clock: ManualClock
  readonly registry: SessionRegistry<string[]>
  readonly events: EventRecorder<string[]>
}

/**
 * Returns a registry of message lists on a clock that the test moves; it creates empty lists by default.
 */
export function clockedRegistry(options: SessionRegistryOptions<string[]> = {}): ClockedRegistry {
  const clock = new ManualClock()
  const registry = new SessionRegistry<string[]>({ clock, create: () => [], ...options })
  return { clock, registry, events: new EventRecorder(registry) }
}
