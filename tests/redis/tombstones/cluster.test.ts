import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { connectClusterClient } from '../../support/redis-clients.ts'
import { RedisCluster } from '../../support/redis-cluster.ts'
import { describeOnOwnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

describeOnOwnRedis('tombstones in a cluster', {}, () => {
  it('are on the node of their shard', { timeout: 60_000 }, async () => {
    const cluster = await RedisCluster.start(3, { replicated: false })
    onTestFinished(() => cluster.stop())
    for (const kind of ['redis', 'ioredis'] as const) {
      const { client, close } = await connectClusterClient(kind, cluster.addresses)
      onTestFinished(close)
      const registry = new RedisSessionRegistry<string[]>({
        client,
        prefix: uniquePrefix(),
        tombstoneMs: 60_000,
        intervalMs: 100,
      })
      const ids = Array.from({ length: 40 }, (_, index) => `visitor-${index}`)
      const owner = 'ada'
      for (const [index, id] of ids.entries())
        await registry.set(id, [], { owner, timeoutMs: index % 2 === 0 ? 50 : 60_000 })
      await waitUntil(async () => (await registry.size()) === ids.length / 2)
      await registry.clear()
      const reasons = await Promise.all(
        ids.map(async (id) => (await registry.whyGone(id, { owner }))?.reason),
      )

      expect(reasons, kind).toEqual(ids.map((_, index) => (index % 2 === 0 ? 'idle' : 'deleted')))
      await registry.close()
    }
  })
})
