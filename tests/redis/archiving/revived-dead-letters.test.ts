import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { EventRecorder } from '../../support/event-recorder.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { readAll } from '../../support/read-all.ts'
import type { ClientKind } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

const say = (registry: RedisSessionRegistry<string[]>, word: string) =>
  registry.run('a', (session) => {
    session.value.push(word)
    return [...session.value]
  })

describeOnRedis('a dead letter', (redis) => {
  const processes = (
    store: FakeArchive,
    options: { readonly kind?: ClientKind; readonly maxAgeMs?: number } = {},
  ) => {
    const shared = {
      prefix: uniquePrefix(),
      shards: 1,
      timeoutMs: 200,
      intervalMs: 100,
      archiveAttempts: 1,
      create: () => [],
      archive: store.archive,
      ...options,
    }
    return {
      /** A registry with `load`. */
      loading: () => testRegistry<string[]>(redis, { ...shared, load: store.load }),
      /** A registry that starts new incarnations at once. */
      beginning: () => testRegistry<string[]>(redis, shared),
    }
  }

  async function dies(registry: RedisSessionRegistry<string[]>, count = 1): Promise<void> {
    await expect.poll(() => registry.deadCount(), soon).toBe(count)
  }

  it.each(['redis', 'ioredis'] as const)(
    'load: `open` and `run` revive it, with the values that the archive lacks (%s)',
    generous,
    async (kind) => {
      const store = new FakeArchive()
      const { loading } = processes(store, { kind })
      const registry = await loading()
      const errors: unknown[] = []
      registry.on('error', (error) => errors.push(error))
      const events = new EventRecorder<string[]>(registry)
      await say(registry, 'first visit')
      await expect.poll(() => store.stored.get('a'), soon).toEqual(['first visit'])
      store.mode = 'failing'
      await say(registry, 'second visit')
      await dies(registry)
      expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
      const { incarnation } = store.last.session
      store.loads.length = 0
      store.mode = 'instant'
      events.take()

      expect(await say(registry, 'third visit')).toEqual(['first visit', 'second visit', 'third visit'])
      expect(await registry.open('a')).toEqual(['first visit', 'second visit', 'third visit'])
      expect(store.loads).toEqual([])
      expect(await registry.deadCount()).toBe(0)
      expect((await registry.peek('a'))?.incarnation).toBe(incarnation)
      await expect.poll(() => store.stored.get('a'), soon).toHaveLength(3)
      expect(store.last).toMatchObject({ attempt: 1, session: { incarnation } })
      expect(store.last.superseded).toBeUndefined()
      await expect.poll(() => events.lines, soon).toEqual(['expired a idle', 'ended a idle'])
      // What remains in Redis belongs to no incarnation.
      expect(await registry.open('a')).toHaveLength(3)
    },
  )

  it('load: any process revives it, with `create: false` as well', generous, async () => {
    const store = new FakeArchive('failing')
    const { loading } = processes(store)
    const first = await loading()
    first.on('error', () => {})
    await say(first, 'hello')
    await dies(first)
    await first.close()
    store.mode = 'instant'
    const second = await loading()
    const events = new EventRecorder<string[]>(second)
    expect(await second.has('a')).toBe(false)

    expect(await second.run('a', ({ value }) => value, { create: false })).toEqual(['hello'])
    await expect.poll(() => events.lines, soon).toEqual(['expired a idle', 'ended a idle'])
  })

  it('load: its age restarts', generous, async () => {
    const store = new FakeArchive('failing')
    const { loading } = processes(store, { maxAgeMs: 300 })
    const registry = await loading()
    registry.on('error', () => {})
    await say(registry, 'hello')
    await dies(registry)
    store.mode = 'instant'
    await new Promise((resolve) => setTimeout(resolve, 300))

    expect(await registry.open('a')).toEqual(['hello'])
    expect((await registry.peek('a'))?.ageMs).toBeLessThan(300)
  })

  it('load: without it a new incarnation starts at once, and the dead letter stays', generous, async () => {
    const store = new FakeArchive('failing')
    const { beginning } = processes(store)
    const registry = await beginning()
    registry.on('error', () => {})
    await say(registry, 'old')
    await dies(registry)

    expect(await say(registry, 'new')).toEqual(['new'])
    await dies(registry, 2)
  })

  it('load: the newest of several is revived', generous, async () => {
    const store = new FakeArchive('failing')
    const { beginning, loading } = processes(store)
    const without = await beginning()
    without.on('error', () => {})
    for (const [index, word] of ['first', 'second', 'third'].entries()) {
      await say(without, word)
      await dies(without, index + 1)
    }
    await without.close()
    store.mode = 'instant'
    const registry = await loading()
    expect(await registry.open('a')).toEqual(['third'])
    expect((await readAll(registry.deadSessions())).map(({ value }) => value)).toEqual([
      ['first'],
      ['second'],
    ])
    await expect.poll(() => store.stored.get('a'), soon).toEqual(['third'])

    // The others are older than the archived value: neither is revived.
    store.stored.set('a', ['third', 'from the archive'])
    expect(await registry.open('a')).toEqual(['third', 'from the archive'])
    expect(await registry.deadCount()).toBe(2)
  })

  it('load: is not revived after a newer incarnation began, however that ended', generous, async () => {
    const store = new FakeArchive('failing')
    const { loading } = processes(store)
    const registry = await loading()
    registry.on('error', () => {})
    await say(registry, 'old')
    await dies(registry)
    await registry.set('a', ['new'])
    await registry.delete('a')

    expect(await registry.open('a')).toEqual([])
    expect(await registry.deadCount()).toBe(1)
  })

  it('delete: is not revived', generous, async () => {
    const store = new FakeArchive('failing')
    const { loading } = processes(store)
    const registry = await loading()
    registry.on('error', () => {})
    await say(registry, 'old')
    await dies(registry)
    await registry.delete('a')

    expect(await registry.open('a')).toEqual([])
    expect(await registry.deadCount()).toBe(1)
    store.mode = 'instant'
    await registry.retryDead()
    await expect.poll(() => store.calls.at(-1)?.superseded, soon).toBe(true)
  })

  it('maxSessions: is not revived in a full shard', generous, async () => {
    const store = new FakeArchive('failing')
    const shared = { prefix: uniquePrefix(), shards: 1, timeoutMs: 100, archiveAttempts: 1, maxSessions: 1 }
    const registry = await testRegistry<string[]>(redis, {
      ...shared,
      create: () => [],
      load: store.load,
      archive: store.archive,
    })
    registry.on('error', () => {})
    await say(registry, 'hello')
    await dies(registry)
    await registry.set('b', [], { timeoutMs: 60_000 })
    expect(await failureOf(() => registry.open('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    await registry.delete('b')

    expect(await registry.open('a')).toEqual(['hello'])
  })

  it('outage of the store: visitors who return meanwhile lose nothing', generous, async () => {
    const store = new FakeArchive()
    const shared = { prefix: uniquePrefix(), timeoutMs: 150, intervalMs: 50, create: () => [] }
    const options = { ...shared, load: store.load, archive: store.archive }
    const registries = [
      await testRegistry<string[]>(redis, options),
      await testRegistry<string[]>(redis, options),
    ]
    for (const registry of registries) registry.on('error', () => {})
    const ids = Array.from({ length: 8 }, (_, index) => `visitor-${index}`)
    const said = new Map(ids.map((id) => [id, [] as string[]]))
    let word = 0
    const visit = async (id: string) => {
      word += 1
      const mine = String(word)
      const registry = registries[word % 2] as RedisSessionRegistry<string[]>
      await registry.run(id, (session) => {
        expect(session.value).toEqual(said.get(id))
        session.value.push(mine)
      })
      said.get(id)?.push(mine)
    }
    const talk = async (id: string, visits: number) => {
      for (let visited = 0; visited < visits; visited += 1) {
        await visit(id)
        await new Promise((resolve) => setTimeout(resolve, 120 + Math.random() * 200))
      }
    }
    const traffic = Promise.all(ids.map((id) => talk(id, 8)))
    await new Promise((resolve) => setTimeout(resolve, 400))
    store.mode = 'failing'
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    store.mode = 'instant'
    await traffic

    await Promise.all(registries.map((registry) => registry.retryDead()))
    await expect
      .poll(() => ids.map((id) => store.stored.get(id)), soon)
      .toEqual(ids.map((id) => said.get(id)))
  })
})
