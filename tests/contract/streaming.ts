import type { RunOptions, StreamTurn } from 'session-registry'
import type { ContractHarness, ContractOptions } from './harness.ts'

/** A registry that streams, and its `stream`. */
export async function makeStreaming(harness: ContractHarness, options: ContractOptions) {
  const { unitMs } = harness
  const limits = { timeoutMs: 200 * unitMs, maxTurnMs: 100 * unitMs }
  const registry = await harness.make({ create: () => [], ...limits, ...options })
  const stream = <Y>(id: string, turn: StreamTurn<string[], Y>, given?: RunOptions<string[]>) => {
    if (registry.stream === undefined) throw new Error('Expected a registry that streams')
    return registry.stream(id, turn, given)
  }
  return { registry, stream }
}
