import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { connectClusterClient } from '../../support/redis-clients.ts'
import { ask, RedisCluster } from '../../support/redis-cluster.ts'
import { describeOnOwnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'

const generous = { timeout: 60_000 }

describeOnOwnRedis('a shard whose slot is migrated to another node', {}, () => {
  it('is unavailable meanwhile, and loses nothing', generous, async () => {
    const cluster = await RedisCluster.start(2, { replicated: false })
    onTestFinished(() => cluster.stop())
    const [first, second] = cluster.masters
    if (first === undefined || second === undefined) throw new Error('the cluster has no two nodes')
    const ids = [await ask(first, 'CLUSTER', 'MYID'), await ask(second, 'CLUSTER', 'MYID')]
    for (const kind of ['redis', 'ioredis'] as const) {
      const { client, close } = await connectClusterClient(kind, cluster.addresses)
      onTestFinished(close)
      const prefix = uniquePrefix()
      const registry = new RedisSessionRegistry<string[]>({
        client,
        prefix,
        shards: 1,
        callTimeoutMs: 1_000,
        intervalMs: Number.POSITIVE_INFINITY,
      })
      await registry.set('a', ['kept'])
      const slot = await ask(first, 'CLUSTER', 'KEYSLOT', `{${prefix}:0}`)
      const isOfFirst = Number(slot) < 8_192
      const [from, to] = isOfFirst ? [first, second] : [second, first]
      const [fromId, toId] = isOfFirst ? ids : ids.toReversed()
      await ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '')
      await ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '')
      const key = `{${prefix}:0}:s:a`
      await ask(from, 'MIGRATE', '127.0.0.1', String(to.port), key, '0', '5000')

      const given = observe(registry.get('a'))
      await given.settled
      expect(given.error, kind).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))

      const waiting = observe(registry.run('a', ({ value }) => value.push('said')))
      const left = await ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '100')
      for (const other of left.split(','))
        await ask(from, 'MIGRATE', '127.0.0.1', String(to.port), other, '0', '5000')
      for (const node of [to, from]) await ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '')
      await waiting.settled
      expect(waiting.value, kind).toBe(2)
      expect(await registry.get('a'), kind).toEqual(['kept', 'said'])
      await registry.close()
    }
  })
})
