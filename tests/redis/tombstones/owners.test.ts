import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { storedSession } from '../../support/store-session.ts'
import { waitUntil } from '../../support/wait-until.ts'

const soon = { timeout: 10_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('whyGone, with an owner', (redis) => {
  const make = (options: Partial<RegistryOptions<string[]>> = {}) =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 60_000,
      tombstoneMs: 60_000,
      intervalMs: never,
      create: () => [],
      ...options,
    })

  /** The reason that is told without an owner, to Ada and to Bob. */
  const told = (registry: RedisSessionRegistry<string[]>) =>
    Promise.all(
      [undefined, 'ada', 'bob'].map(async (owner) => (await registry.whyGone('a', { owner }))?.reason),
    )

  async function expires(registry: RedisSessionRegistry<string[]>, owner: string): Promise<void> {
    await registry.set('a', [], { owner, timeoutMs: 50 })
    await waitUntil(async () => !(await registry.has('a')))
  }

  it('every process compares it', async () => {
    const prefix = uniquePrefix()
    const [one, other] = [await make({ prefix }), await make({ prefix })]
    await one.set('a', [], { owner: 'ada' })
    await one.delete('a')

    expect(await told(other)).toEqual(['deleted', 'deleted', undefined])
  })

  it('of an expired session: before it is claimed, and when it is archived', async () => {
    const { archive } = new FakeArchive()
    const registry = await make({ archive })
    await expires(registry, 'ada')
    expect(await told(registry)).toEqual(['idle', 'idle', undefined])
    await registry.sweep()
    await registry.settled()

    expect(await told(registry)).toEqual(['idle', 'idle', undefined])
  })

  it('of a dead letter, and when that is archived', async () => {
    const store = new FakeArchive('failing')
    const registry = await make({ archive: store.archive, archiveAttempts: 1 })
    registry.on('error', () => {})
    await expires(registry, 'ada')
    await registry.sweep()
    await expect.poll(() => registry.deadCount(), soon).toBe(1)
    expect(await told(registry)).toEqual(['idle', 'idle', undefined])
    store.mode = 'instant'
    await registry.retryDead('a')
    expect(await told(registry)).toEqual([undefined, undefined, undefined])
    await registry.sweep()
    await registry.settled()

    expect(await told(registry)).toEqual(['idle', 'idle', undefined])
  })

  it('of one that waited for the archive of an older one', async () => {
    const store = new FakeArchive('manual')
    const prefix = uniquePrefix()
    const [one, other] = [
      await make({ prefix, archive: store.archive }),
      await make({ prefix, archive: store.archive }),
    ]
    await expires(one, 'ada')
    await one.sweep()
    await expect.poll(() => store.calls.length, soon).toBe(1)
    await expires(one, 'ada')
    await other.sweep()
    await other.settled()
    expect(await told(one)).toEqual([undefined, undefined, undefined])
    store.last.succeed()
    await one.settled()
    store.mode = 'instant'
    await other.sweep()
    await other.settled()

    expect(await told(one)).toEqual(['idle', 'idle', undefined])
  })

  it('of one in the backlog that is not archived', async () => {
    const prefix = uniquePrefix()
    const archiving = await make({ prefix, archive: new FakeArchive('failing').archive, archiveAttempts: 1 })
    archiving.on('error', () => {})
    await expires(archiving, 'ada')
    await archiving.sweep()
    await expect.poll(() => archiving.deadCount(), soon).toBe(1)
    const without = await make({ prefix })
    await without.retryDead('a')

    expect(await told(without)).toEqual(['idle', 'idle', undefined])
  })

  it('of a session that was read from a store', async () => {
    const store = new RecordingStore()
    store.keep(storedSession({ id: 'a', owner: 'ada' }))
    const registry = await make({ store })
    await registry.open('a')
    await registry.delete('a')

    expect(await told(registry)).toEqual(['deleted', 'deleted', undefined])
  })

  it('that a turn has assigned: the last one', async () => {
    const registry = await make()
    await registry.set('a', [], { owner: 'ada' })
    await registry.run('a', (session) => {
      session.owner = 'bob'
    })
    await registry.delete('a')

    expect(await told(registry)).toEqual(['deleted', undefined, 'deleted'])
  })

  it('with lone surrogates: different ones are different', async () => {
    const registry = await make()
    await registry.set('a', [], { owner: '\ud800' })
    await registry.delete('a')

    expect((await registry.whyGone('a', { owner: '\ud800' }))?.reason).toBe('deleted')
    expect(await registry.whyGone('a', { owner: '\ud801' })).toBeUndefined()
    expect(await registry.whyGone('a', { owner: '\ufffd' })).toBeUndefined()
  })

  it('id and owner do not run together', async () => {
    const registry = await make({ shards: 1 })
    await registry.set('a', [], { owner: 'b' })
    await registry.delete('a')

    expect(await registry.whyGone('ab')).toBeUndefined()
    expect(await registry.whyGone('1:ab')).toBeUndefined()
  })
})
