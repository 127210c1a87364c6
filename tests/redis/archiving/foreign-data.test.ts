import { expect, it } from 'vitest'
import { Keys } from '../../../src/redis/storage/keys.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { readAll } from '../../support/read-all.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('foreign or damaged data', (redis) => {
  it.each(['redis', 'ioredis'] as const)(
    'values: one that cannot be decoded emits an error and is skipped (%s)',
    generous,
    async (kind) => {
      const prefix = uniquePrefix()
      const codec = {
        encode: (value: string) => value,
        decode: (text: string) => {
          if (text === 'b') throw new Error('no such format')
          return text
        },
      }
      const registry = await testRegistry<string>(redis, { kind, prefix, codec })
      const errors: unknown[] = []
      registry.on('error', (error) => errors.push(error))
      for (const id of ['a', 'b', 'c', 'd']) await registry.set(id, id)
      errors.length = 0

      expect((await readAll(registry.values())).sort()).toEqual(['a', 'c', 'd'])
      expect(errors).toEqual([sessionError('ERR_SESSION_VALUE_INVALID')])
      expect((await readAll(registry)).map(([id]) => id).sort()).toEqual(['a', 'c', 'd'])
      expect(errors).toHaveLength(2)
      // The session is still visible, and can be deleted.
      const ids = (await readAll(registry.sessions())).map(({ id }) => id)
      expect(ids.sort()).toEqual(['a', 'b', 'c', 'd'])
      expect(await registry.clear()).toBe(4)
    },
  )

  it('values: a key that another program wrote emits an error and is skipped', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const registry = await testRegistry<string>(redis, { prefix })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    for (const id of ['a', 'b', 'c']) await registry.set(id, id)
    const [damaged] = await keysWith(admin, `${prefix}*:s:b`)
    await admin.set(damaged?.key ?? '', 'something else')

    expect((await readAll(registry.values())).sort()).toEqual(['a', 'c'])
    expect(errors).toEqual([sessionError('ERR_SESSION_BACKEND_FAILED')])
  })

  it.each(['redis', 'ioredis'] as const)(
    'sweep: queue entries that are not sessions are removed with an error, and the others are archived (%s)',
    generous,
    async (kind) => {
      const admin = await administrator(redis)
      const prefix = uniquePrefix()
      const store = new FakeArchive()
      const options = { kind, prefix, shards: 2, timeoutMs: 100, archive: store.archive }
      const registry = await testRegistry<string[]>(redis, { ...options, intervalMs: never })
      const errors: unknown[] = []
      registry.on('error', (error) => errors.push(error))
      const ids = ['a', 'b', 'c', 'd', 'e', 'f']
      for (const id of ids) await registry.set(id, [id])
      const keys = new Keys(prefix, 2)
      const deadlines = [keys.deadlines(0), keys.deadlines(1)]
      const foreignEntries = [
        '',
        'garbage',
        'a:b',
        `${'x'.repeat(22)}:`,
        `${'x'.repeat(22)}y${'z'.repeat(10)}`,
      ]
      for (const key of deadlines) {
        const [queue, leases] = [key.replace(/dl$/, 'px'), key.replace(/dl$/, 'lt')]
        for (const [score, value] of foreignEntries.entries()) {
          await admin.zAdd(key, { score, value })
          await admin.zAdd(queue, { score, value: `!${value}` })
          await admin.hSet(leases, `!${value}`, 'not a lease')
        }
        // A name in our format, of the other shard.
        const other = ids.find((id) => deadlines[keys.shardOf(id)] !== key)
        await admin.zAdd(key, { score: 1, value: `${'x'.repeat(22)}:${other}` })
      }
      await waitUntil(async () => !(await registry.has('f')))
      await registry.sweep()
      await registry.sweep()

      await expect.poll(() => [...store.stored.keys()].sort(), soon).toEqual(ids)
      const codes = errors.map((error) => (error as { code: string }).code)
      expect(codes.length).toBeGreaterThanOrEqual(2)
      expect(new Set(codes)).toEqual(new Set(['ERR_SESSION_BACKEND_FAILED']))
      expect(await registry.size()).toBe(0)
      for (const key of deadlines) expect(await admin.zCard(key.replace(/dl$/, 'px'))).toBe(0)
      expect(await readAll(registry.keys())).toEqual([])
      errors.length = 0
      expect(await registry.sweep()).toBe(0)
      expect(errors).toEqual([])
    },
  )

  it('sweep: is not stopped by a batch of foreign entries only', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const store = new FakeArchive()
    const registry = await testRegistry<string[]>(redis, {
      prefix,
      shards: 1,
      timeoutMs: 100,
      intervalMs: 50,
      archive: store.archive,
    })
    registry.on('error', () => {})
    const foreignEntries = Array.from({ length: 500 }, (_, score) => ({ score, value: `foreign-${score}` }))
    await admin.zAdd(`{${prefix}:0}:dl`, foreignEntries)
    await registry.set('a', ['hello'])

    await expect.poll(() => [...store.stored], soon).toEqual([['a', ['hello']]])
  })

  it('sweep: a session whose data were overwritten is reported as lost, once', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const store = new FakeArchive()
    const registry = await testRegistry<string[]>(redis, {
      prefix,
      timeoutMs: 100,
      intervalMs: 50,
      leaseMs: 200,
      archive: store.archive,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    await registry.set('a', ['hello'])
    const [damaged] = await keysWith(admin, `${prefix}*:s:a`)
    await admin.set(damaged?.key ?? '', 'something else')
    await registry.set('b', ['hello'])

    await expect.poll(() => [...store.stored.keys()], soon).toEqual(['b'])
    await expect.poll(() => errors, soon).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(errors).toHaveLength(1)
  })

  it.each(['redis', 'ioredis'] as const)(
    'retention: a clock set forward by eight days loses nothing without an error (%s)',
    generous,
    async (kind) => {
      const admin = await administrator(redis)
      const prefix = uniquePrefix()
      const store = new FakeArchive()
      const day = 24 * 3_600_000
      const options = { kind, prefix, archive: store.archive }
      const before = await testRegistry<string[]>(redis, { ...options, intervalMs: never })
      for (const id of ['a', 'b', 'c']) await before.set(id, [id])
      await before.close()
      // The effect of such a clock: every TTL is eight days shorter, every deadline has passed.
      for (const { key, ttlMs } of await keysWith(admin, prefix)) {
        if (ttlMs <= 8 * day) await admin.del(key)
        else await admin.pExpire(key, ttlMs - 8 * day)
        if (!key.endsWith(':dl')) continue
        for (const { value, score } of await admin.zRangeWithScores(key, 0, -1)) {
          await admin.zAdd(key, { value, score: score - 8 * day })
        }
      }
      const registry = await testRegistry<string[]>(redis, { ...options, intervalMs: 50 })
      const errors: unknown[] = []
      registry.on('error', (error) => errors.push(error))
      await registry.has('unknown')

      const lost = sessionError('ERR_SESSION_ARCHIVE_FAILED')
      await expect.poll(() => errors, soon).toEqual([lost, lost, lost])
      expect(await registry.size()).toBe(0)
    },
  )
})
