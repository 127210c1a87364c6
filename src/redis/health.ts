import type { Gate } from '../core/gate.ts'
import { healthOf, type RegistryHealth, type UnreadyReason } from '../core/watching/registry-health.ts'
import type { RedisComponents } from './wiring.ts'

/** Returns whether this process can serve new sessions, by the outcomes of its last calls. No round trip. */
export function health<T>(components: RedisComponents<T>, gate: Gate<T>): RegistryHealth {
  return healthOf(whyUnready(components, gate))
}

function whyUnready<T>(
  { store, backendCalls, storeCalls }: RedisComponents<T>,
  gate: Gate<T>,
): UnreadyReason | undefined {
  if (!gate.isOpen) return 'closing'
  if (store.creations.isFailing) return 'full'
  return backendCalls.isFailing || storeCalls.isFailing ? 'store-failing' : undefined
}
