import process from 'node:process'
import type { RedisClientType } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { administrator } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testClient, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

/** Records the warnings of this process from now on. */
function recordWarnings(): string[] {
  const warnings: string[] = []
  const listener = ({ name, message }: Error) => {
    if (name === 'SessionRegistryWarning') warnings.push(message)
  }
  process.on('warning', listener)
  onTestFinished(() => {
    process.off('warning', listener)
  })
  return warnings
}

describeOnRedis('a process that does not archive', (redis) => {
  /** Starts a process with `archive` that never claims, and expires a session of it. */
  async function withOneOver(options: Partial<RegistryOptions<string[]>> = {}) {
    const prefix = uniquePrefix()
    const store = new FakeArchive()
    const shared = { prefix, timeoutMs: 100, ...options }
    const archiving = await testRegistry<string[]>(redis, {
      ...shared,
      intervalMs: never,
      archive: store.archive,
    })
    await archiving.set('a', ['hello'])
    await waitUntil(async () => !(await archiving.has('a')))
    return { archiving, shared, store }
  }

  it.each(['redis', 'ioredis'] as const)(
    'archives: without `archive`, a process claims nothing while others have one, and warns once (%s)',
    generous,
    async (kind) => {
      const { archiving, shared, store } = await withOneOver()
      const logger = new RecordingLogger()
      const looking = await testRegistry<string[]>(redis, { ...shared, kind, intervalMs: 20, logger })
      const ended: string[] = []
      looking.on('ended', ({ id }) => ended.push(id))
      await looking.size()
      await expect.poll(() => logger.at('warn').length, soon).toBe(1)
      // Many polls of the deadlines later.
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await looking.sweep()).toBe(0)
      for await (const _ of looking.deadSessions()) expect.unreachable()

      expect(logger.at('warn')).toHaveLength(1)
      expect(logger.at('warn')[0]?.message).toContain('`archive`')
      expect(ended).toEqual([])
      expect(await archiving.sweep()).toBe(1)
      await expect.poll(() => [...store.stored], soon).toEqual([['a', ['hello']]])
    },
  )

  it('archives: without a logger, the warning is a process warning', generous, async () => {
    const warnings = recordWarnings()
    const { shared } = await withOneOver()
    const looking = await testRegistry<string[]>(redis, { ...shared, intervalMs: 20 })
    await looking.size()

    await expect.poll(() => warnings, soon).toHaveLength(1)
    expect(warnings[0]).toContain('`archives: false`')
  })

  it.each(['redis', 'ioredis'] as const)(
    'archives false: the process never claims, and does not warn (%s)',
    generous,
    async (kind) => {
      const warnings = recordWarnings()
      const prefix = uniquePrefix()
      const store = new FakeArchive()
      const observer = await testRegistry<string[]>(redis, {
        kind,
        prefix,
        timeoutMs: 100,
        intervalMs: 20,
        archives: false,
        archive: store.archive,
      })
      await observer.set('a', ['hello'])
      await waitUntil(async () => !(await observer.has('a')))
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(await observer.sweep()).toBe(0)
      expect(await observer.size()).toBe(1)
      expect(store.calls).toEqual([])

      // Nor does it count as an archiving process.
      const ending = await testRegistry<string[]>(redis, { prefix, timeoutMs: 100, intervalMs: 20 })
      const ended: string[] = []
      ending.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
      await ending.size()
      await expect.poll(() => ended, soon).toEqual(['a idle'])
      expect(warnings).toEqual([])
    },
  )

  it(
    'archives: a process without `archive` ends what it claims if no process has one',
    generous,
    async () => {
      const registry = await testRegistry<string[]>(redis, {
        prefix: uniquePrefix(),
        timeoutMs: 100,
        intervalMs: 20,
      })
      const ended: string[] = []
      registry.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
      await registry.set('a', ['hello'])

      await expect.poll(() => ended, soon).toEqual(['a idle'])
    },
  )

  it.each([
    ['a week', 7 * 24 * 3_600_000],
    ['a second', 1_000],
  ])(
    'archives: the note lapses exactly a day after the last archiving process (data are kept for %s)',
    generous,
    async (_, retentionMs) => {
      const { archiving, shared } = await withOneOver({ shards: 1, leaseMs: 1_000, retentionMs })
      const admin = await administrator(redis)
      const [key] = await admin.keys(`*${shared.prefix}*:archives`)
      const ttlMs = await admin.pTTL(key ?? '')
      expect(ttlMs).toBeGreaterThan(24 * 3_600_000 - 60_000)
      expect(ttlMs).toBeLessThanOrEqual(24 * 3_600_000)
      await archiving.close()
      await admin.del(key ?? '')
      const ending = await testRegistry<string[]>(redis, { ...shared, intervalMs: 20 })
      const ended: string[] = []
      ending.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
      await ending.size()

      await expect.poll(() => ended, soon).toEqual(['a idle'])
    },
  )

  it.each([
    ['expires', false],
    ['is waited for', true],
  ])(
    'archives: a session that %s after the note was read is not claimed',
    generous,
    async (_, isWaitedFor) => {
      const prefix = uniquePrefix()
      const store = new FakeArchive()
      const client = (await testClient('redis', redis.url)) as RedisClientType
      const archiving = await testRegistry<string[]>(redis, {
        prefix,
        shards: 1,
        timeoutMs: 1,
        intervalMs: never,
        load: store.load,
        create: () => [],
        archive: store.archive,
      })
      const opened: Promise<string[]>[] = []
      const asked: string[] = []
      type Call = 'eval' | 'evalSha'
      const call = (name: Call) => async (what: string, options: { readonly keys: string[] }) => {
        const answer: unknown = await client[name](what, options)
        const [key = ''] = options.keys
        asked.push(key)
        if (key.endsWith(':archives')) {
          // There was no note; now an archiving process starts, and a session of it expires at once.
          await archiving.set('a', ['hello'])
          await waitUntil(async () => !(await archiving.has('a')))
          if (isWaitedFor) {
            opened.push(archiving.open('a'))
            // Until it stands first in the queue.
            const queue = `{${prefix}:0}:px`
            await waitUntil(async () => (await client.zRangeWithScores(queue, 0, 0))[0]?.score === 0)
          }
        }
        return answer
      }
      const slow = { eval: call('eval'), evalSha: call('evalSha') }
      const looking = new RedisSessionRegistry<string[]>({
        client: slow,
        prefix,
        shards: 1,
        timeoutMs: 1,
        intervalMs: never,
      })
      expect(await looking.sweep()).toBe(0)
      await looking.close()

      expect(asked.some((key) => key.endsWith(':archives'))).toBe(true)
      expect(await archiving.sweep()).toBe(1)
      await expect.poll(() => [...store.stored], soon).toEqual([['a', ['hello']]])
      await Promise.all(opened)
    },
  )
})
