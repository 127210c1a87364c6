import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { stateHandles } from 'session-registry/mcp'
import { describe, expect, it } from 'vitest'

describe('state handles: the policy', () => {
  const policyOf = (options: SessionRegistryOptions<string[]>) =>
    stateHandles(new SessionRegistry(options), { prefix: 'b_', argument: 'b' }).policy

  it.each<[options: SessionRegistryOptions<string[]>, policy: string]>([
    [{}, 'A `b` expires when it has not been used for 20 minutes.'],
    [
      { timeoutMs: 3_600_000, maxAgeMs: 86_400_000 },
      'A `b` expires when it has not been used for 1 hour, and 1 day after its creation at the latest.',
    ],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'A `b` does not expire with time.'],
    [
      { timeoutMs: Number.POSITIVE_INFINITY, maxAgeMs: 604_800_000 },
      'A `b` expires 7 days after its creation.',
    ],
    [{ timeoutMs: 1 }, 'A `b` expires when it has not been used for 0.001 seconds.'],
    [{ timeoutMs: 90_500 }, 'A `b` expires when it has not been used for 90.5 seconds.'],
    [{ load: () => undefined }, 'A `b` can expire: a tool then answers that it is gone.'],
  ])('of %o', (options, policy) => {
    expect(policyOf(options)).toBe(policy)
  })

  it('of a store: what `keepMs` says, since an idle session comes back', () => {
    const store = { get: async () => undefined, put: async () => true, delete: async () => {} }
    expect(policyOf({ store, timeoutMs: 1_000, keepMs: 7_200_000 })).toBe(
      'A `b` expires when it has not been used for 2 hours.',
    )
    expect(policyOf({ store })).toBe('A `b` does not expire with time.')
  })
})
