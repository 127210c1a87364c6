import { healthOf, type RegistryHealth, type UnreadyReason } from '../core/watching/registry-health.ts'
import type { Components } from './wiring.ts'

/** Returns whether a registry can serve new sessions. Never throws. */
export function health<T>(components: Components<T>): RegistryHealth {
  return healthOf(whyUnready(components))
}

function whyUnready<T>({ gate, capacity, storeCalls }: Components<T>): UnreadyReason | undefined {
  if (!gate.isOpen) return 'closing'
  try {
    if (capacity.isFull) return 'full'
  } catch {
    // A clock that fails does not tell which sessions have expired.
  }
  return storeCalls.isFailing ? 'store-failing' : undefined
}
