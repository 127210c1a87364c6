import { expect, it } from 'vitest'
import { administrator, commandCounts, type KeyLife, keysWith } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnOwnRedis, describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { Visitors } from '../../support/visitors.ts'
import type { Tally } from '../../support/worker-jobs.ts'

const generous = { timeout: 60_000 }

describeOnRedis('the keys of a registry', (redis) => {
  it('all have a TTL at any time, and the archiving note lapses last', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const options = {
      prefix,
      timeoutMs: 200,
      retentionMs: 2_000,
      leaseMs: 2_000,
      intervalMs: 100,
      archiveAttempts: 2,
      tombstoneMs: 1_000,
      create: (): Tally => ({ n: 0 }),
      archive: async ({ id }: { readonly id: string }) => {
        if (id.endsWith('3')) throw new Error('this one cannot be archived')
      },
    }
    const one = await testRegistry<Tally>(redis, options)
    const other = await testRegistry<Tally>(redis, options)
    for (const registry of [one, other]) registry.on('error', () => {})
    const visitors = new Visitors(100, [one, other])
    const load = Promise.all([visitors.use(one, 6), visitors.use(other, 6)])
    const endless: KeyLife[] = []
    const kinds = new Set<string>()
    for (let look = 0; look < 40 || visitors.turns < 600; look += 1) {
      const id = visitors.ids[look % visitors.ids.length] ?? ''
      await one.set(id, { n: -1 })
      const hold = await other.hold(id)
      if (look % 4 === 0) await other.delete(id)
      for (const { key, ttlMs } of await keysWith(admin, prefix)) {
        kinds.add(key.replace(/visitor-\d+/, '<id>').replace(/:\d+\}/, ':k}'))
        if (ttlMs < 0) endless.push({ key, ttlMs })
      }
      await hold?.release()
    }
    visitors.stop()
    await load
    expect(endless).toEqual([])
    // Data, queues and settings at least; otherwise too little was checked.
    expect(kinds.size).toBeGreaterThanOrEqual(4)
    // `set` replaced the counts of turns, so only the errors of calls matter here.
    expect(visitors.failures.filter((code) => code !== 'ERR_SESSION_ENDED')).toEqual([])
    await Promise.all([one.close(), other.close()])

    // The archiving note lapses after a day, however soon the data are removed.
    const keys = async () => (await keysWith(admin, prefix)).map(({ key }) => key)
    await expect.poll(keys, { timeout: 30_000, interval: 100 }).toEqual([`{${prefix}}:archives`])
  })

  it('start with the prefix', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const registry = await testRegistry<Tally>(redis, { prefix, create: () => ({ n: 0 }) })
    await registry.getOrCreate('a')

    for (const { key } of await keysWith(admin, prefix)) expect(key).toMatch(new RegExp(`^\\{?${prefix}[:}]`))
  })
})

describeOnOwnRedis('the commands of a registry', {}, (redis) => {
  it('never iterate over all keys of the server', generous, async () => {
    const admin = await administrator(redis)
    await admin.configResetStat()
    const registry = await testRegistry<Tally>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      create: () => ({ n: 0 }),
      archive: async () => {},
    })
    const ended: string[] = []
    registry.on('ended', ({ id }) => ended.push(id))
    for (const id of ['a', 'b', 'c']) {
      await registry.run(id, (session) => {
        session.value.n += 1
      })
    }
    for await (const id of registry.keys()) await registry.peek(id)
    for await (const _ of registry.deadSessions());
    await registry.size()
    await registry.set('d', { n: 1 })
    await registry.sweep()
    await expect.poll(() => ended.sort(), { timeout: 20_000 }).toEqual(['a', 'b', 'c', 'd'])
    await registry.getOrCreate('e')
    await registry.clear()
    await registry.close()

    const counts = await commandCounts(admin)
    for (const command of ['keys', 'scan', 'flushall', 'flushdb']) {
      expect(counts.get(command) ?? 0, command).toBe(0)
    }
    expect(counts.get('evalsha')).toBeGreaterThan(0)
  })
})
