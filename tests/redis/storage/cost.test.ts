import { expect, it } from 'vitest'
import { clientKinds } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'

describeOnRedis('the cost of a call', (redis) => {
  async function counted(kind: (typeof clientKinds)[number]) {
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string[]>(proxy, {
      kind,
      prefix: uniquePrefix(),
      create: () => ['hello'],
      // Otherwise a poll of the deadlines could intervene.
      intervalMs: Number.POSITIVE_INFINITY,
    })
    // The first calls load the scripts.
    await registry.getOrCreate('warm')
    await registry.run('warm', (session) => session.value.push('up'))
    for (const call of ['get', 'touch', 'has', 'peek', 'open', 'delete'] as const)
      await registry[call]('warm')
    await registry.set('warm', [])
    await (await registry.hold('warm'))?.renew()
    const commandsOf = async (call: () => Promise<unknown>) => {
      proxy.reset()
      await call()
      return [...proxy.commands]
    }
    return { proxy, registry, commandsOf }
  }

  it.each(clientKinds)(
    'one round trip for a touched read, two for a creation and for a turn (%s)',
    async (kind) => {
      const { registry, commandsOf } = await counted(kind)
      const once = ['EVALSHA']
      const twice = ['EVALSHA', 'EVALSHA']

      expect(await commandsOf(() => registry.getOrCreate('a'))).toEqual(twice)
      expect(await commandsOf(() => registry.getOrCreate('a'))).toEqual(once)
      expect(await commandsOf(() => registry.get('a'))).toEqual(once)
      expect(await commandsOf(() => registry.get('unknown'))).toEqual(once)
      expect(await commandsOf(() => registry.touch('a'))).toEqual(once)
      expect(await commandsOf(() => registry.open('a'))).toEqual(once)
      expect(await commandsOf(() => registry.has('a'))).toEqual(once)
      expect(await commandsOf(() => registry.peek('a'))).toEqual(once)
      expect(await commandsOf(() => registry.set('b', []))).toEqual(once)
      expect(await commandsOf(() => registry.run('a', (session) => session.value.push('again')))).toEqual(
        twice,
      )
      const read = () => registry.run('a', ({ value }) => value.length, { whenBusy: 'join' })
      expect(await commandsOf(read)).toEqual(twice)
      expect(await commandsOf(() => registry.set('b', ['assigned']))).toEqual(once)
      const hold = await registry.hold('a')
      expect(await commandsOf(() => registry.acquire('a', { create: false }))).toEqual(once)
      expect(await commandsOf(async () => hold?.renew())).toEqual(once)
      expect(await commandsOf(() => registry.delete('a'))).toEqual(once)
    },
  )

  it('no round trip for a call within a turn', async () => {
    const { registry, commandsOf } = await counted('redis')
    await registry.run('a', async (session) => {
      session.value.push('in the turn')
      expect(await commandsOf(() => registry.get('a'))).toEqual([])
      expect(await registry.get('a')).toEqual(['hello', 'in the turn'])
    })
  })

  it.each(clientKinds)('an unchanged large history is not sent again (%s)', async (kind) => {
    const { proxy, registry, commandsOf } = await counted(kind)
    const history = [`${'x'.repeat(200_000)}`]
    await registry.set('a', history)
    await registry.get('a')

    await commandsOf(() => registry.get('a'))
    expect(proxy.bytesToClient + proxy.bytesToServer).toBeLessThan(2_000)
    await commandsOf(() => registry.run('a', (session) => session.value.length))
    expect(proxy.bytesToClient + proxy.bytesToServer).toBeLessThan(4_000)
    expect(await registry.get('a')).toEqual(history)
  })

  it('it is sent again to another process once, and after a change', async () => {
    const { proxy, registry } = await counted('redis')
    const prefix = uniquePrefix()
    const seen = await testRegistry<string[]>(proxy, { prefix, intervalMs: Number.POSITIVE_INFINITY })
    const writes = await testRegistry<string[]>(redis, { prefix, intervalMs: Number.POSITIVE_INFINITY })
    const large = 'x'.repeat(200_000)
    await registry.has('unknown')
    await writes.set('a', [large])
    const bytesOfRead = async () => {
      proxy.reset()
      const value = await seen.get('a')
      return { bytes: proxy.bytesToClient, length: value?.length }
    }

    expect((await bytesOfRead()).bytes).toBeGreaterThan(200_000)
    expect((await bytesOfRead()).bytes).toBeLessThan(2_000)
    await writes.run('a', (session) => session.value.push('more'))
    const changed = await bytesOfRead()
    expect(changed.bytes).toBeGreaterThan(200_000)
    expect(changed.length).toBe(2)
    expect((await bytesOfRead()).bytes).toBeLessThan(2_000)
  })

  it('values are not shared to save it: each can be changed without effect on others', async () => {
    const { registry } = await counted('redis')
    const first = await registry.getOrCreate('a')
    first.push('only mine')
    expect(await registry.get('a')).toEqual(['hello'])
    expect(await registry.get('a')).not.toBe(first)
  })
})
