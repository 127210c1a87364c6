import type { ContractHarness, ContractOptions } from './harness.ts'

/** Returns a registry whose limits are long enough for a stream. */
export function makeStreaming(harness: ContractHarness, options: ContractOptions) {
  const { unitMs } = harness
  const limits = { timeoutMs: 200 * unitMs, maxTurnMs: 100 * unitMs }
  return harness.make({ create: () => [], ...limits, ...options })
}
