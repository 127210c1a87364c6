import { expect, it } from 'vitest'
import { cancelWhenCreated } from '../support/cancelled-creation.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'

describeOnRedis('a creation of a state handle on Redis', (redis) => {
  it('that is cancelled before its turn begins: leaves no session', async () => {
    const baskets = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    await cancelWhenCreated(baskets, (cancel) => baskets.on('created', cancel))

    expect(await baskets.size()).toBe(0)
  })
})
