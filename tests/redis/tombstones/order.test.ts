import type { Session } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { EventRecorder } from '../../support/event-recorder.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { readAll } from '../../support/read-all.ts'
import { administrator } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

const say = (registry: RedisSessionRegistry<string[]>, word: string) =>
  registry.run('a', (session) => session.value.push(word))

describeOnRedis('whyGone, of several incarnations', (redis) => {
  async function make(store: FakeArchive, options: Partial<RegistryOptions<string[]>> = {}) {
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      shards: 1,
      timeoutMs: 200,
      intervalMs: 100,
      archiveAttempts: 1,
      tombstoneMs: 60_000,
      create: () => [],
      archive: store.archive,
      ...options,
    })
    registry.on('error', () => {})
    return registry
  }

  const goneAtDeadline = ({ lastActiveAt, timeoutMs }: Session<string[]>) => ({
    reason: 'idle',
    endedAt: lastActiveAt + timeoutMs,
  })

  async function dies(registry: RedisSessionRegistry<string[]>, count = 1): Promise<void> {
    await expect.poll(() => registry.deadCount(), soon).toBe(count)
  }

  it('an older one that is archived late does not appear while a younger one lives', generous, async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await say(registry, 'old')
    await expect.poll(() => store.calls.length, soon).toBe(1)
    await registry.set('a', ['new'], { timeoutMs: 60_000 })
    store.last.succeed()
    await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(0)

    expect(await registry.whyGone('a')).toBeUndefined()
    await registry.delete('a')
    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })

  it(
    'an older one that is archived after the younger one ended does not replace its end',
    generous,
    async () => {
      const store = new FakeArchive('failing')
      const registry = await make(store)
      const events = new EventRecorder<string[]>(registry)
      await say(registry, 'old')
      await dies(registry)
      store.mode = 'instant'
      await registry.set('a', ['new'])
      await registry.delete('a')
      const gone = await registry.whyGone('a')
      expect(gone?.reason).toBe('deleted')
      events.take()
      expect(await registry.retryDead('a')).toBe(1)
      await expect.poll(() => events.lines, soon).toContain('ended a idle')

      expect(await registry.whyGone('a')).toEqual(gone)
    },
  )

  it(
    'an older one that waits for its archive does not hide the end of the younger one',
    generous,
    async () => {
      const store = new FakeArchive('failing')
      const registry = await make(store)
      await say(registry, 'old')
      await dies(registry)
      await registry.set('a', ['new'])
      await registry.delete('a')
      const gone = await registry.whyGone('a')
      store.mode = 'manual'
      store.calls.length = 0
      await registry.retryDead('a')
      await expect.poll(() => store.calls.length, soon).toBe(1)

      expect(await registry.whyGone('a')).toEqual(gone)
      await registry.delete('a')
      expect(await registry.whyGone('a')).toEqual(gone)
    },
  )

  /** Two processes, of which one archives `first` and the other has moved `second` behind it. */
  async function bothWaiting(
    store: FakeArchive,
    beforeSecond = async (_: RedisSessionRegistry<string[]>) => {},
  ) {
    const admin = await administrator(redis)
    const shared = { prefix: uniquePrefix(), intervalMs: Number.POSITIVE_INFINITY }
    const [one, other] = [await make(store, shared), await make(store, shared)]
    const expire = async (word: string) => {
      await say(one, word)
      await waitUntil(async () => !(await one.has('a')))
    }
    await expire('first')
    await one.sweep()
    await expect.poll(() => store.calls.length, soon).toBe(1)
    await beforeSecond(one)
    await expire('second')
    await other.sweep()
    const waiting = async () => (await admin.hGet(`{${shared.prefix}:0}:x:a`, 'q'))?.split(' ').length
    await expect.poll(waiting, soon).toBe(2)
    return { one, other }
  }

  it('all wait for their archives: none is gone, and then the youngest is told', generous, async () => {
    const store = new FakeArchive('manual')
    const { one, other } = await bothWaiting(store)
    expect(await one.whyGone('a')).toBeUndefined()
    store.last.succeed()
    await expect.poll(async () => (await one.stats()).archiving, soon).toBe(0)
    expect(await one.whyGone('a')).toBeUndefined()
    store.mode = 'instant'
    await other.sweep()
    await expect.poll(() => one.whyGone('a'), soon).toBeDefined()

    expect(store.last.session.value).toEqual(['second'])
    expect(await one.whyGone('a')).toEqual(goneAtDeadline(store.last.session))
  })

  it('the youngest waits for its archive: an end between two that wait is not told', generous, async () => {
    const store = new FakeArchive('manual')
    const { one, other } = await bothWaiting(store, async (registry) => {
      store.last.fail(store.failure)
      await dies(registry)
      await registry.set('a', ['between'])
      await registry.delete('a')
      expect((await registry.whyGone('a'))?.reason).toBe('deleted')
      await registry.retryDead('a')
      await registry.sweep()
      await expect.poll(() => store.calls.length, soon).toBe(2)
    })

    expect(await one.whyGone('a')).toBeUndefined()
    expect(await other.whyGone('a')).toBeUndefined()
    store.last.succeed()
  })

  it('several that still wait: `delete` is told of the youngest', generous, async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await say(registry, 'first')
    await expect.poll(() => store.calls.length, soon).toBe(1)
    await say(registry, 'second')
    await waitUntil(async () => !(await registry.has('a')))
    const before = Date.now()
    expect(await registry.delete('a')).toBe(true)

    const gone = await registry.whyGone('a')
    expect(gone?.reason).toBe('deleted')
    expect(Math.abs((gone?.endedAt ?? Number.NaN) - before)).toBeLessThan(5_000)
    store.last.succeed()
  })

  it('nothing is archived: `delete` of an expired one leaves its deadline', generous, async () => {
    const never = Number.POSITIVE_INFINITY
    const registry = await make(new FakeArchive(), { archive: undefined, intervalMs: never })
    const ended: Session<string[]>[] = []
    registry.on('ended', (session) => ended.push(session))
    await say(registry, 'hello')
    await waitUntil(async () => !(await registry.has('a')))
    expect(await registry.delete('a')).toBe(false)

    expect(ended).toHaveLength(1)
    expect(ended.map(goneAtDeadline)).toEqual([await registry.whyGone('a')])
  })

  it('an archive is to come: `delete` of an expired one is told', generous, async () => {
    const registry = await make(new FakeArchive(), { intervalMs: Number.POSITIVE_INFINITY })
    await say(registry, 'hello')
    await waitUntil(async () => !(await registry.has('a')))
    expect((await registry.whyGone('a'))?.reason).toBe('idle')
    expect(await registry.delete('a')).toBe(true)

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })

  it('a dead letter: without `load` it is gone since its deadline', generous, async () => {
    const store = new FakeArchive('failing')
    const registry = await make(store)
    await say(registry, 'hello')
    await dies(registry)
    const gone = goneAtDeadline(store.last.session)
    expect(await registry.whyGone('a')).toEqual(gone)
    store.mode = 'manual'
    store.calls.length = 0
    await registry.retryDead('a')
    await expect.poll(() => store.calls.length, soon).toBe(1)
    expect(await registry.whyGone('a')).toBeUndefined()
    store.last.fail(store.failure)
    await dies(registry)
    expect(await registry.whyGone('a')).toEqual(gone)
    await registry.dropDead('a')

    expect(await registry.whyGone('a')).toEqual(gone)
  })

  it('a dead letter: with `load` it is not gone, until it cannot be revived any more', generous, async () => {
    const store = new FakeArchive('failing')
    const registry = await make(store, { load: store.load })
    await say(registry, 'hello')
    await dies(registry)
    const gone = goneAtDeadline(store.last.session)
    expect(await registry.whyGone('a')).toBeUndefined()
    await registry.dropDead('a')

    expect(await registry.whyGone('a')).toEqual(gone)
  })

  it(
    'a dead letter: with `load` and after `delete` it cannot be revived, and is gone',
    generous,
    async () => {
      const store = new FakeArchive('failing')
      const registry = await make(store, { load: store.load })
      await say(registry, 'hello')
      await dies(registry)
      await registry.delete('a')

      expect((await registry.whyGone('a'))?.reason).toBe('idle')
      expect(await readAll(registry.deadSessions())).toHaveLength(1)
    },
  )

  it('a dead letter that was revived: is not gone, and then its new end is told', generous, async () => {
    const store = new FakeArchive('failing')
    const registry = await make(store, { load: store.load })
    await say(registry, 'hello')
    await dies(registry)
    const first = goneAtDeadline(store.last.session)
    const events = new EventRecorder<string[]>(registry)
    store.mode = 'instant'
    expect(await registry.open('a')).toEqual(['hello'])
    expect(await registry.whyGone('a')).toBeUndefined()
    await expect.poll(() => events.lines, soon).toContain('ended a idle')

    expect((await registry.whyGone('a'))?.endedAt).toBeGreaterThan(first.endedAt)
  })

  it('a dead letter: with `load` and past its retention it is gone', generous, async () => {
    const store = new FakeArchive('failing')
    const prefix = uniquePrefix()
    const registry = await make(store, { prefix, load: store.load })
    const admin = await administrator(redis)
    await say(registry, 'hello')
    await dies(registry)
    expect(await registry.whyGone('a')).toBeUndefined()
    const [value = ''] = await admin.zRange(`{${prefix}:0}:dead`, 0, -1)
    await admin.zAdd(`{${prefix}:0}:dead`, { value, score: Date.now() - 8 * 24 * 3_600_000 })

    expect((await registry.whyGone('a'))?.reason).toBe('idle')
  })

  it('a dead letter: a younger one that ended is told, with `load` as well', generous, async () => {
    const store = new FakeArchive('failing')
    const registry = await make(store, { load: store.load })
    await say(registry, 'old')
    await dies(registry)
    await registry.set('a', ['new'], { timeoutMs: 60_000 })
    await registry.delete('a')

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })
})
