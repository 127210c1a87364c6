import { expect, it } from 'vitest'
import { readAll } from '../../support/read-all.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'

const generous = { timeout: 60_000 }
const soon = { timeout: 30_000, interval: 20 }

const broken = async () => {
  throw new Error('the database is down')
}

describeOnRedis('many dead letters', (redis) => {
  /** Registries of one prefix: one that fills the list, and one whose traffic is counted. */
  async function withDead(
    ids: readonly string[],
    incarnationsEach: number,
    size: number,
    kind: 'redis' | 'ioredis' = 'redis',
  ) {
    const prefix = uniquePrefix()
    const options = { prefix, timeoutMs: 1, retentionMs: 600_000, archiveAttempts: 1, archiveConcurrency: 50 }
    const filling = await testRegistry<string>(redis, { ...options, intervalMs: 20, archive: broken })
    filling.on('error', () => {})
    for (let round = 0; round < incarnationsEach; round += 1) {
      await Promise.all(ids.map((id) => filling.getOrCreate(id, () => `${round}:${'x'.repeat(size)}`)))
      await expect.poll(() => filling.deadCount(), soon).toBe((round + 1) * ids.length)
    }
    await filling.close({ deadlineMs: 1_000 })
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string>(proxy, { ...options, kind, archives: false })
    await registry.size()
    proxy.reset()
    return { proxy, registry, options }
  }

  it.each(['redis', 'ioredis'] as const)(
    'deadSessions: reads each incarnation once, although all are of one id (%s)',
    generous,
    async (kind) => {
      const { proxy, registry } = await withDead(['a'], 40, 20_000, kind)
      const dead = await readAll(registry.deadSessions())

      expect(dead.map(({ value }) => Number.parseInt(value, 10))).toEqual(
        Array.from({ length: 40 }, (_, n) => n),
      )
      expect(new Set(dead.map(({ incarnation }) => incarnation)).size).toBe(40)
      // Forty incarnations of 20 kB, and a little for their names.
      expect(proxy.bytesToClient).toBeLessThan(40 * 21_000)
    },
  )

  it('deadSessions: reads at most about a megabyte at a time', generous, async () => {
    const { proxy, registry } = await withDead(['a'], 8, 500_000)
    const dead = registry.deadSessions()
    const first = await dead.next()
    expect(first.value?.value.startsWith('0:')).toBe(true)
    expect(proxy.bytesToClient).toBeLessThan(2_000_000)
    const rest: number[] = []
    for await (const { value } of dead) rest.push(Number.parseInt(value, 10))

    expect(rest).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it.each(['redis', 'ioredis'] as const)(
    'retryDead, dropDead, deadCount: without an id, act on all (%s)',
    generous,
    async (kind) => {
      const ids = Array.from({ length: 70 }, (_, index) => `visitor-${index}`)
      const { registry, options } = await withDead(ids, 2, 10, kind)
      const stored: string[] = []
      const mended = await testRegistry<string>(redis, {
        ...options,
        kind,
        archive: async ({ id, value }) => {
          stored.push(`${id} ${Number.parseInt(value, 10)}`)
        },
      })
      expect(await mended.deadCount()).toBe(140)
      expect(await mended.dropDead('visitor-0')).toBe(2)
      expect(await mended.retryDead('visitor-1')).toBe(2)
      expect(await mended.retryDead()).toBe(136)
      expect(await mended.deadCount()).toBe(0)
      await expect.poll(() => stored.length, soon).toBe(138)
      for (const id of ids.slice(1)) {
        expect(stored.filter((line) => line.startsWith(`${id} `))).toEqual([`${id} 0`, `${id} 1`])
      }

      expect(await registry.retryDead()).toBe(0)
      expect(await registry.dropDead()).toBe(0)
    },
  )

  it('dropDead: ends all dead letters, and emits the end of each', generous, async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `visitor-${index}`)
    const { registry } = await withDead(ids, 2, 60_000)
    const ended: string[] = []
    registry.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
    expect(await registry.dropDead()).toBe(80)

    expect(ended.sort()).toEqual(ids.flatMap((id) => [`${id} deleted`, `${id} deleted`]).sort())
    expect(await registry.deadCount()).toBe(0)
    expect(await readAll(registry.deadSessions())).toEqual([])
  })
})
