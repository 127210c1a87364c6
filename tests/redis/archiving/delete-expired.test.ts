import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const never = Number.POSITIVE_INFINITY

describeOnRedis('delete and clear of an expired session', (redis) => {
  async function withEnds(options: { kind?: 'redis' | 'ioredis'; archive?: FakeArchive['archive'] }) {
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 50,
      intervalMs: never,
      ...options,
    })
    const ends: string[] = []
    registry.on('expired', ({ id }, reason) => ends.push(`expired ${id} ${reason}`))
    registry.on('ended', ({ id }, reason) => ends.push(`ended ${id} ${reason}`))
    const over = async (...ids: string[]) => {
      for (const id of ids) await registry.set(id, [id])
      for (const id of ids) await waitUntil(async () => !(await registry.has(id)))
    }
    return { registry, ends, over }
  }

  it.each(['redis', 'ioredis'] as const)(
    'still to be archived: it is deleted and counted, and emits no `expired` (%s)',
    async (kind) => {
      const store = new FakeArchive()
      const { registry, ends, over } = await withEnds({ kind, archive: store.archive })
      await over('a', 'b', 'c')
      expect(await registry.delete('a')).toBe(true)
      expect(ends).toEqual(['ended a deleted'])
      expect(await registry.clear()).toBe(2)

      expect(ends.toSorted()).toEqual(['ended a deleted', 'ended b deleted', 'ended c deleted'])
      expect(await registry.stats()).toMatchObject({ size: 0, deleted: 3, expired: 0 })
      expect(await registry.sweep()).toBe(0)
      expect(store.calls).toEqual([])
    },
  )

  it('several incarnations still to be archived: each of them is deleted', async () => {
    const store = new FakeArchive()
    const { registry, ends, over } = await withEnds({ archive: store.archive })
    await over('a')
    await over('a')

    expect(await registry.delete('a')).toBe(true)
    expect(ends).toEqual(['ended a deleted', 'ended a deleted'])
    expect(await registry.delete('a')).toBe(false)
  })

  it('nothing to archive: it has expired, and is not counted', async () => {
    const { registry, ends, over } = await withEnds({})
    await over('a', 'b')
    expect(await registry.delete('a')).toBe(false)
    expect(await registry.clear()).toBe(0)

    expect(ends).toEqual(['expired a idle', 'ended a idle', 'expired b idle', 'ended b idle'])
    expect(await registry.stats()).toMatchObject({ size: 0, deleted: 0, expired: 2 })
  })
})
