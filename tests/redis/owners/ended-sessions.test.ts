import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { administrator, contentsOf } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const never = Number.POSITIVE_INFINITY
const notOwner = sessionError('ERR_SESSION_NOT_OWNER')
const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }
const timeoutMs = 100

const say = (word: string) => (session: { value: string[] }) => session.value.push(word)

/** Calls that put a session in the place of what the id had. */
const placing = {
  set: (registry: RedisSessionRegistry<string[]>, owner: string) => registry.set('a', ['new'], { owner }),
  replace: (registry: RedisSessionRegistry<string[]>, owner: string) =>
    registry.replace('a', ['new'], { owner }),
}
const placingNames = ['set', 'replace'] as const

describeOnRedis('the owner of a session that has expired', (redis) => {
  async function make(archive: FakeArchive, options: Partial<RegistryOptions<string[]>> = {}) {
    const prefix = uniquePrefix()
    const shared = {
      prefix,
      shards: 1,
      timeoutMs,
      intervalMs: never,
      archiveAttempts: 1,
      create: () => [],
      archive: archive.archive,
      ...options,
    }
    const registry = await testRegistry<string[]>(redis, shared)
    registry.on('error', () => {})
    const admin = await administrator(redis)
    const expire = () => waitUntil(async () => !(await registry.has('a')))
    const process = () => testRegistry<string[]>(redis, shared)
    return { registry, process, expire, contents: () => contentsOf(admin, prefix) }
  }

  const ownersOf = ({ calls }: FakeArchive) =>
    calls.map(({ session }) => [session.value.join(), session.owner])

  it('is seen by the archive, in any process and for each incarnation', generous, async () => {
    const archive = new FakeArchive()
    const { registry, process, expire } = await make(archive)
    const other = await process()
    const ended: unknown[] = []
    other.on('ended', (session, reason) => ended.push([session.owner, reason]))
    await registry.run('a', say('of ada'), { owner: 'ada' })
    await expire()
    // Where nothing is loaded, the id has a new session at once, which may be another's.
    await registry.run('a', say('of bob'), { owner: 'bob' })
    await expire()
    await registry.run('a', say('of no one'))
    await expire()
    while (ended.length < 3) await other.sweep()

    expect(ownersOf(archive)).toEqual([
      ['of ada', 'ada'],
      ['of bob', 'bob'],
      ['of no one', undefined],
    ])
    expect(ended).toEqual([
      ['ada', 'idle'],
      ['bob', 'idle'],
      [undefined, 'idle'],
    ])
  })

  it.each(placingNames)('is compared by `%s` until it is archived', generous, async (name) => {
    const archive = new FakeArchive('manual')
    const { registry, expire, contents } = await make(archive)
    await registry.set('a', ['old'], { owner: 'ada' })
    await expire()
    const before = await contents()
    expect(await failureOf(() => placing[name](registry, 'bob'))).toEqual(notOwner)
    expect(await contents()).toEqual(before)
    await registry.sweep()
    await expect.poll(() => archive.calls.length, soon).toBe(1)
    expect(await failureOf(() => placing[name](registry, 'bob'))).toEqual(notOwner)
    archive.last.succeed()
    await registry.settled()
    await placing[name](registry, 'bob')

    expect(await registry.peek('a')).toMatchObject({ value: ['new'], owner: 'bob' })
  })

  it.each(placingNames)(
    'is compared by `%s` with the youngest of several that wait',
    generous,
    async (name) => {
      const archive = new FakeArchive('manual')
      const { registry, process, expire, contents } = await make(archive)
      const other = await process()
      await registry.run('a', say('of ada'), { owner: 'ada' })
      await expire()
      await registry.sweep()
      await expect.poll(() => ownersOf(archive), soon).toEqual([['of ada', 'ada']])
      await registry.run('a', say('of bob'), { owner: 'bob' })
      await expire()
      // The second waits behind the archive of the first: both are in the backlog now.
      await other.sweep()
      await waitUntil(async () => !Object.keys(await contents()).some((key) => key.includes(':s:')))

      expect(await failureOf(() => placing[name](registry, 'ada'))).toEqual(notOwner)
      await placing[name](registry, 'bob')
      expect(await registry.peek('a')).toMatchObject({ value: ['new'], owner: 'bob' })
      archive.mode = 'instant'
      archive.last.succeed()
      await waitUntil(async () => {
        await registry.sweep()
        return archive.calls.length === 2
      })
      expect(archive.last.session.owner).toBe('bob')
    },
  )

  it.each(placingNames)('lets its owner `%s` before it is archived', generous, async (name) => {
    const archive = new FakeArchive()
    const { registry, expire } = await make(archive)
    await registry.set('a', ['old'], { owner: 'ada' })
    await expire()
    await placing[name](registry, 'ada')
    await registry.sweep()

    await expect.poll(() => ownersOf(archive), soon).toEqual([['old', 'ada']])
    expect(await registry.peek('a')).toMatchObject({ value: ['new'], owner: 'ada' })
  })

  it('is kept by a dead letter, which no other owner revives or replaces', generous, async () => {
    const archive = new FakeArchive('failing')
    const { registry, expire, contents } = await make(archive, { load: archive.load })
    await registry.run('a', say('of ada'), { owner: 'ada' })
    await expire()
    await registry.sweep()
    await expect.poll(() => registry.deadCount(), soon).toBe(1)
    archive.loads.length = 0
    const before = await contents()

    const refused = [
      () => registry.open('a', { owner: 'bob' }),
      () => registry.open('a', { owner: 'bob', create: false }),
      () => registry.run('a', say('no'), { owner: 'bob' }),
      () => registry.run('a', say('no'), { owner: 'bob', whenBusy: 'join' }),
      () => registry.acquire('a', { owner: 'bob' }),
      () => placing.set(registry, 'bob'),
      () => placing.replace(registry, 'bob'),
    ]
    for (const call of refused) expect(await failureOf(call)).toEqual(notOwner)
    expect(await contents()).toEqual(before)
    expect(await registry.deadCount()).toBe(1)
    const outcomes = await Promise.allSettled([
      registry.open('a', { owner: 'bob' }),
      registry.run('a', say('again'), { owner: 'ada' }),
      registry.open('a', { owner: 'bob' }),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected'])
    expect(await registry.peek('a')).toMatchObject({ value: ['of ada', 'again'], owner: 'ada' })
    expect(archive.loads).toEqual([])
  })

  it('is that of a dead letter in its `ended` event, and in its next archive', generous, async () => {
    const archive = new FakeArchive('failing')
    const { registry, expire } = await make(archive)
    const ended: unknown[] = []
    registry.on('ended', (session, reason) => ended.push([session.owner, reason]))
    for (const owner of ['ada', 'bob']) {
      await registry.run('a', say('hello'), { owner })
      await expire()
    }
    await waitUntil(async () => {
      await registry.sweep()
      return (await registry.deadCount()) === 2
    })
    expect(await registry.dropDead()).toBe(2)
    expect(ended).toEqual([
      ['ada', 'deleted'],
      ['bob', 'deleted'],
    ])
    await registry.run('a', say('hello'), { owner: 'cleo' })
    await expire()
    await waitUntil(async () => {
      await registry.sweep()
      return (await registry.deadCount()) === 1
    })
    archive.mode = 'instant'
    await registry.retryDead('a')
    await registry.sweep()
    await expect.poll(() => ended, soon).toHaveLength(3)

    expect(archive.last.session.owner).toBe('cleo')
    expect(ended.at(-1)).toEqual(['cleo', 'idle'])
  })

  it('is told to `load` after the archive of the older incarnation', generous, async () => {
    const archive = new FakeArchive()
    const owners: unknown[] = []
    const { registry, expire } = await make(archive, {
      intervalMs: 20,
      load: async (id, { owner }) => {
        owners.push(owner)
        if (owner !== 'ada') throw new Error('the database says that it is ada’s')
        return archive.load(id)
      },
    })
    owners.length = 0
    await registry.run('a', say('hello'), { owner: 'ada' })
    await expire()

    expect(await failureOf(() => registry.open('a', { owner: 'bob' }))).toMatchObject({
      message: 'the database says that it is ada’s',
    })
    expect(await registry.open('a', { owner: 'ada' })).toEqual(['hello'])
    expect(owners).toEqual(['ada', 'bob', 'ada'])
  })
})
