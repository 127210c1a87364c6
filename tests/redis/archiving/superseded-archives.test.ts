import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

const say = (registry: RedisSessionRegistry<string[]>, word: string) =>
  registry.run('a', (session) => session.value.push(word))

describeOnRedis('a retried dead letter', (redis) => {
  /** Starts new incarnations at once. */
  const beginning = (store: FakeArchive, kind: 'redis' | 'ioredis' = 'redis') =>
    testRegistry<string[]>(redis, {
      kind,
      prefix: uniquePrefix(),
      shards: 1,
      timeoutMs: 200,
      intervalMs: 100,
      archiveAttempts: 1,
      create: () => [],
      archive: store.archive,
    })

  async function dies(registry: RedisSessionRegistry<string[]>, count = 1): Promise<void> {
    await expect.poll(() => registry.deadCount(), soon).toBe(count)
  }

  it.each(['redis', 'ioredis'] as const)(
    'superseded: is true after a newer incarnation was archived (%s)',
    generous,
    async (kind) => {
      const store = new FakeArchive('failing')
      const registry = await beginning(store, kind)
      registry.on('error', () => {})
      await say(registry, 'old')
      await dies(registry)
      store.mode = 'instant'
      await say(registry, 'new')
      await expect.poll(() => store.stored.get('a'), soon).toEqual(['new'])
      expect(store.last.superseded).toBeUndefined()
      expect(await registry.retryDead('a')).toBe(1)

      await expect.poll(() => store.last.session.value, soon).toEqual(['old'])
      expect(store.last).toMatchObject({ attempt: 1, superseded: true })
    },
  )

  it('superseded: is absent before the newer incarnation is archived', generous, async () => {
    const store = new FakeArchive('failing')
    const registry = await beginning(store)
    registry.on('error', () => {})
    await say(registry, 'old')
    await dies(registry)
    store.mode = 'instant'
    store.calls.length = 0
    await say(registry, 'new')
    expect(await registry.retryDead('a')).toBe(1)
    await expect.poll(() => store.calls.length, soon).toBe(2)

    expect(store.calls.map(({ session }) => session.value)).toEqual([['old'], ['new']])
    expect(store.calls.map(({ superseded }) => superseded)).toEqual([undefined, undefined])
  })

  it('superseded: a retry during the newer archive follows it, and is true', generous, async () => {
    const store = new FakeArchive('failing')
    const registry = await beginning(store)
    registry.on('error', () => {})
    await say(registry, 'first')
    await dies(registry)
    await say(registry, 'second')
    await dies(registry, 2)
    store.mode = 'manual'
    store.calls.length = 0
    await say(registry, 'third')
    await expect.poll(() => store.calls.length, soon).toBe(1)
    expect(await registry.retryDead('a')).toBe(2)
    await say(registry, 'fourth')
    await waitUntil(async () => !(await registry.has('a')))
    store.mode = 'instant'
    store.last.succeed()
    await expect.poll(() => store.calls.length, soon).toBe(4)

    expect(store.calls.map(({ session, superseded }) => [session.value[0], superseded])).toEqual([
      ['third', undefined],
      ['first', true],
      ['second', true],
      ['fourth', undefined],
    ])
  })
})
