import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { EventRecorder } from './event-recorder.ts'
import { FaultStore } from './fault-store.ts'

export interface StoredRegistry {
  readonly store: FaultStore
  readonly clock: ManualClock
  readonly registry: SessionRegistry<string[]>
  readonly events: EventRecorder<string[]>
  /** The `error` events. */
  readonly errors: unknown[]
}

type Options = Omit<SessionRegistryOptions<string[]>, 'store' | 'clock'>

/** Returns a registry of message lists with a store, on a clock that the test moves. */
export function storedRegistry(options: Options = {}): StoredRegistry {
  return registryOn(new FaultStore(), new ManualClock(), options)
}

/** Returns another registry on the store and the clock of one: another process, or the next start. */
export function registryOn(store: FaultStore, clock: ManualClock, options: Options = {}): StoredRegistry {
  const registry = new SessionRegistry<string[]>({ clock, create: () => [], store, ...options })
  const errors: unknown[] = []
  registry.on('error', (error) => errors.push(error))
  return { store, clock, registry, events: new EventRecorder(registry), errors }
}

/** Appends a message in a turn. */
export function say(registry: SessionRegistry<string[]>, id: string, message: string): Promise<void> {
  return registry.run(id, ({ value }) => {
    value.push(message)
  })
}
