import { RedisSessionRegistry } from 'session-registry/redis'
import { onTestFinished } from 'vitest'
import { describeOnRedis, testClient, uniquePrefix } from '../support/redis-suite.ts'
import type { ContractHarness, ContractRegistry } from './harness.ts'
import { describeSessionContract } from './session-contract.ts'

// Time is Redis's own, so that these tests have to wait. Two units are what a busy machine may take for a
// step.
const unitMs = 150

const sizes = new WeakMap<ContractRegistry, () => Promise<number>>()

describeOnRedis('on Redis', (redis) => {
  const harness: ContractHarness = {
    unitMs,
    // A 128th of the longest timeout in the suite, and what a busy machine may be late.
    latenessMs: 100,
    makes: {
      closeEndsSessions: false,
      refusesWhileArchiving: false,
    },
    make: async (options) => {
      const client = await testClient('redis', redis.url)
      const registry = new RedisSessionRegistry<string[]>({
        client,
        prefix: uniquePrefix(),
        shards: 2,
        intervalMs: unitMs,
        leaseMs: 20 * unitMs,
        turnGraceMs: 2 * unitMs,
        ...options,
      })
      onTestFinished(async () => {
        await registry.close({ deadlineMs: 0 })
      })
      sizes.set(registry, () => registry.size())
      return registry
    },
    advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    size: async (registry) => (await sizes.get(registry)?.()) ?? Number.NaN,
  }

  describeSessionContract('the registry of many processes', harness)
})
