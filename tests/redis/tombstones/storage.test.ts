import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { administrator, contentsOf } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnOwnRedis, describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const soon = { timeout: 20_000, interval: 10 }
const never = Number.POSITIVE_INFINITY
const dayMs = 24 * 3_600_000
const yearMs = 365 * dayMs

describeOnRedis('tombstones in Redis', (redis) => {
  async function make(options: Partial<RegistryOptions<string[]>> = {}) {
    const prefix = options.prefix ?? uniquePrefix()
    const settings = { timeoutMs: 60_000, tombstoneMs: 60_000, shards: 1, create: () => [], prefix }
    return {
      prefix,
      key: `{${prefix}:0}:ends`,
      admin: await administrator(redis),
      registry: await testRegistry<string[]>(redis, { ...settings, ...options }),
    }
  }

  it('contain neither ids nor values', async () => {
    const { admin, prefix, registry } = await make()
    await registry.set('id-of-ada', ['words of ada'], { owner: 'name of ada' })
    await registry.set('id-of-bob', ['words of bob'], { timeoutMs: 50 })
    await registry.delete('id-of-ada')
    await waitUntil(async () => (await registry.size()) === 0)

    expect((await registry.whyGone('id-of-ada'))?.reason).toBe('deleted')
    expect((await registry.whyGone('id-of-bob'))?.reason).toBe('idle')
    expect(JSON.stringify(await contentsOf(admin, prefix))).not.toMatch(/of[- ](ada|bob)/)
  })

  it('are hashes with a key of their own in each shard', async () => {
    const { admin, prefix, registry } = await make({ shards: 16 })
    const ids = Array.from({ length: 64 }, (_, index) => `visitor-${index}`)
    await Promise.all(ids.map((id) => registry.set(id, [])))
    await registry.clear()
    const keys = Array.from({ length: 16 }, (_, shard) => `{${prefix}:${shard}}:ends`)
    const hashKeys = await Promise.all(keys.map((key) => admin.zRangeByScore(key, '+inf', '+inf')))
    const hashes = (await Promise.all(keys.map((key) => admin.zRangeByScore(key, '-inf', '(+inf')))).flat()

    expect(hashKeys.map((found) => found.length)).toEqual(keys.map(() => 1))
    expect(new Set(hashKeys.flat()).size).toBe(16)
    for (const [hashKey] of hashKeys) expect(hashKey).toMatch(/^[\w-]{22}$/)
    expect(new Set(hashes).size).toBe(64)
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{32}$/)
  })

  it('last for `tombstoneMs` after the last end in their shard', async () => {
    const { admin, key, registry } = await make({ tombstoneMs: dayMs })
    await registry.set('a', [])
    expect(await admin.exists(key)).toBe(0)
    await registry.delete('a')

    const ttlMs = await admin.pTTL(key)
    expect(ttlMs).toBeGreaterThan(dayMs)
    expect(ttlMs).toBeLessThanOrEqual(dayMs * 1.125)
  })

  it('with an infinite `tombstoneMs` lapse after a year without an end in their shard', async () => {
    const { admin, key, registry } = await make({ tombstoneMs: never })
    await registry.set('a', [])
    await registry.delete('a')

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
    const ttlMs = await admin.pTTL(key)
    expect(ttlMs).toBeGreaterThan(yearMs)
    expect(ttlMs).toBeLessThanOrEqual(yearMs * 1.125)
  })

  it.each([dayMs, never])('the number of shards is kept as long: %s', async (tombstoneMs) => {
    const { admin, key, prefix, registry } = await make({ tombstoneMs, retentionMs: 1_000 })
    await registry.set('a', [])
    await registry.delete('a')

    expect(await admin.pTTL(`{${prefix}}:config`)).toBeGreaterThan(await admin.pTTL(key))
  })

  it('that have lapsed are dropped with the next ends and polls', async () => {
    const { admin, key, prefix, registry } = await make({ tombstoneMs: 100, intervalMs: never })
    const ids = Array.from({ length: 30 }, (_, index) => `visitor-${index}`)
    await Promise.all(ids.map((id) => registry.set(id, [])))
    const other = await make({ prefix, tombstoneMs: dayMs, intervalMs: never })
    for (const id of ids) await other.registry.delete(id)
    expect(await admin.zCard(key)).toBe(31)
    await waitUntil(async () => (await registry.whyGone('visitor-29')) === undefined)
    await registry.set('a', [])
    await registry.delete('a')
    // Ten of them: one call must not take long.
    expect(await admin.zCard(key)).toBe(22)
    await waitUntil(async () => (await registry.whyGone('a')) === undefined)
    await registry.sweep()

    expect(await admin.zCard(key)).toBe(1)
  })

  it('do not exist without `tombstoneMs`', async () => {
    const { admin, key, registry } = await make({ tombstoneMs: 0 })
    await registry.set('a', [])
    await registry.set('b', [], { timeoutMs: 50 })
    await registry.delete('a')
    await waitUntil(async () => (await registry.size()) === 0)

    expect(await admin.exists(key)).toBe(0)
  })

  it('an id that looks like a hash or its key is nothing special', async () => {
    const { admin, key, registry } = await make()
    await registry.set('a', [])
    await registry.delete('a')
    for (const member of await admin.zRange(key, 0, -1))
      expect(await registry.whyGone(member)).toBeUndefined()
  })

  it.each([
    ['__proto__', '__proto__'],
    ['a space', ' '],
    ['braces', '{a}'],
    ['an emoji', '👩‍👩‍👧'],
    ['U+0000', '\u0000'],
    ['the longest', 'x'.repeat(1_024)],
  ])('any id has one: %s', async (_name, id) => {
    const { registry } = await make()
    await registry.set(id, [])
    await registry.delete(id)

    expect((await registry.whyGone(id))?.reason).toBe('deleted')
  })

  it('cost one round trip, and none without `tombstoneMs`', async () => {
    const proxy = await testProxy(redis.url)
    const prefix = uniquePrefix()
    const registryWith = (tombstoneMs: number) =>
      testRegistry<string[]>(proxy, { prefix, tombstoneMs, intervalMs: never })
    for (const [tombstoneMs, commands] of [
      [60_000, ['EVALSHA']],
      [0, []],
    ] as const) {
      const registry = await registryWith(tombstoneMs)
      await registry.set('a', [])
      await registry.delete('a')
      await registry.whyGone('a')
      for (const id of ['a', 'never']) {
        proxy.reset()
        await registry.whyGone(id)
        expect(proxy.commands).toEqual(commands)
      }
    }
  })

  it('a call that is repeated keeps the end of the first', { timeout: 60_000 }, async () => {
    const proxy = await testProxy(redis.url)
    const store = new FakeArchive('manual')
    const { prefix, registry: watching } = await make({ intervalMs: never })
    const options = { prefix, shards: 1, tombstoneMs: 60_000, callTimeoutMs: 30_000, intervalMs: never }
    const registry = await testRegistry<string[]>(proxy, { ...options, archive: store.archive })
    for (const id of ['deleted', 'archived']) await registry.set(id, [], { timeoutMs: 20_000 })
    await registry.set('expired', [], { timeoutMs: 50 })
    await waitUntil(async () => !(await registry.has('expired')))
    await registry.sweep()
    await expect.poll(() => store.calls.length, soon).toBe(1)
    const lostReply = async (call: () => unknown, id: string) => {
      proxy.swallowAnswers()
      const called = call()
      await waitUntil(async () => (await watching.whyGone(id)) !== undefined)
      const gone = await watching.whyGone(id)
      proxy.heal()
      await called
      return gone
    }
    const deleted = await lostReply(() => registry.delete('deleted'), 'deleted')
    const expired = await lostReply(() => store.last.succeed(), 'expired')
    await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(0)

    expect(await watching.whyGone('deleted')).toEqual(deleted)
    expect(await watching.whyGone('expired')).toEqual(expired)
  })
})

describeOnOwnRedis('tombstones on a server that is out of memory', {}, (redis) => {
  it('do not keep sessions from ending', { timeout: 60_000 }, async () => {
    const admin = await administrator(redis)
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      tombstoneMs: 60_000,
      timeoutMs: 60_000,
      create: () => [],
    })
    await registry.set('deleted', [])
    await registry.set('expired', [], { timeoutMs: 300 })
    await admin.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })
    try {
      expect(await registry.delete('deleted')).toBe(true)
      await waitUntil(async () => (await registry.size()) === 0)
    } finally {
      await admin.configSet('maxmemory', '0')
    }

    expect((await registry.whyGone('deleted'))?.reason).toBe('deleted')
    expect((await registry.whyGone('expired'))?.reason).toBe('idle')
  })
})
