import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { beforeEach } from 'vitest'
import type { ContractHarness, ContractRegistry } from './harness.ts'

/** Returns the harness of the registry of one process, with a new clock for each test. */
export function memoryHarness(): ContractHarness {
  let clock = new ManualClock()
  beforeEach(() => {
    clock = new ManualClock()
  })
  const sizes = new WeakMap<ContractRegistry, () => number>()
  return {
    unitMs: 1_000,
    latenessMs: 0,
    makes: {
      closeEndsSessions: true,
      refusesWhileArchiving: true,
    },
    make: (options) => {
      const registry = new SessionRegistry<string[]>({ clock, intervalMs: 1_000, ...options })
      sizes.set(registry, () => registry.size)
      return registry
    },
    advance: (ms) => clock.advanceAsync(ms),
    size: (registry) => sizes.get(registry)?.() ?? Number.NaN,
  }
}
