import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { storedSession } from '../../support/store-session.ts'
import { waitUntil } from '../../support/wait-until.ts'

const notOwner = sessionError('ERR_SESSION_NOT_OWNER')
const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')
const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => session.value.push(word)

describeOnRedis('the owner of a session, with a store', (redis) => {
  async function make(options: Partial<RegistryOptions<string[]>> = {}) {
    const store = new RecordingStore()
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 200,
      intervalMs: 20,
      create: () => [],
      store,
      ...options,
    })
    return { store, registry }
  }

  const expire = async (registry: RedisSessionRegistry<string[]>) => {
    await waitUntil(async () => !(await registry.has('a')))
    await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(0)
  }

  it('goes there with its session, is compared there, and comes back', generous, async () => {
    const { store, registry } = await make()
    await registry.run('a', say('hello'), { owner: 'ada' })
    await expect.poll(() => store.stored('a'), soon).toMatchObject({ owner: 'ada', text: '["hello"]' })
    await expire(registry)

    for (const call of [
      () => registry.open('a', { owner: 'bob' }),
      () => registry.open('a', { owner: 'bob', create: false }),
      () => registry.run('a', say('no'), { owner: 'bob' }),
      () => registry.run('a', say('no'), { owner: 'bob', whenBusy: 'join' }),
      () => registry.acquire('a', { owner: 'bob' }),
    ])
      expect(await failureOf(call)).toEqual(notOwner)
    expect(await registry.size()).toBe(0)
    expect(await registry.open('a', { owner: 'ada' })).toEqual(['hello'])
    expect((await registry.peek('a'))?.owner).toBe('ada')
  })

  it('is refused where the stored session has none', async () => {
    const { store, registry } = await make()
    store.keep(storedSession({ id: 'a' }))

    expect(await failureOf(() => registry.open('a', { owner: 'ada' }))).toEqual(notOwner)
    expect(await registry.open('a')).toEqual(['hello'])
    expect((await registry.peek('a'))?.owner).toBeUndefined()
  })

  it('of calls that wait for one read, is that of the stored session, whoever asked first', async () => {
    const { store, registry } = await make()
    store.keep(storedSession({ id: 'a', owner: 'ada' }))
    const gate = store.hold('get')
    const calls = [
      registry.open('a', { owner: 'bob' }),
      registry.run('a', say('no'), { owner: 'bob' }),
      registry.run('a', ({ value }) => [...value], { owner: 'ada' }),
      registry.open('a'),
    ]
    await waitUntil(async () => store.count('get') > 0)
    gate.resolve()
    const outcomes = await Promise.allSettled(calls)

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled'])
    expect(store.count('get')).toBe(1)
    expect((await registry.peek('a'))?.owner).toBe('ada')
  })

  it.each(['\ud800', '"', 'a\0b'])('survives as it is: %j', async (owner) => {
    const { store, registry } = await make({ timeoutMs: 60_000 })
    store.keep(storedSession({ id: 'a', owner }))

    expect(await registry.open('a', { owner })).toEqual(['hello'])
    expect(await failureOf(() => registry.open('a', { owner: '\ufffd' }))).toEqual(notOwner)
    await registry.run('a', say('more'))
    await registry.save('a')
    expect(store.stored('a')).toMatchObject({ owner, text: '["hello","more"]' })
  })

  it.each([['bob'], [undefined]])('is a change for the store: %s', generous, async (owner) => {
    const { store, registry } = await make()
    store.keep(storedSession({ id: 'a', owner: 'ada', revision: 'r-1' }))
    await registry.run('a', () => {})
    await expire(registry)
    expect(store.count('put')).toBe(0)
    await registry.run('a', (session) => {
      session.owner = owner
    })

    await expect.poll(() => store.stored('a')?.revision, soon).not.toBe('r-1')
    expect(store.stored('a')).toMatchObject({ text: '["hello"]' })
    expect(store.stored('a')?.owner).toBe(owner)
  })

  it(
    'is saved inside a turn as that has assigned it, and once more where that is not committed',
    generous,
    async () => {
      const { store, registry } = await make()
      await registry.run('a', say('hello'), { owner: 'ada' })
      await failureOf(() =>
        registry.run('a', async (session) => {
          session.owner = 'bob'
          expect(await registry.save('a')).toBe(true)
          expect(store.stored('a')?.owner).toBe('bob')
          throw new Error('not committed')
        }),
      )

      await expect.poll(() => store.stored('a')?.owner, soon).toBe('ada')
    },
  )

  it.each(['set', 'replace'] as const)(
    'cannot be compared by `%s` where no session is in Redis',
    async (name) => {
      const { store, registry } = await make({ timeoutMs: 60_000 })
      store.keep(storedSession({ id: 'a', owner: 'ada' }))

      for (const owner of ['ada', 'bob'])
        expect(await failureOf(() => registry[name]('a', ['no'], { owner }))).toEqual(needsOpen)
      expect(await registry.size()).toBe(0)
      await registry.open('a', { owner: 'ada' })
      expect(await failureOf(() => registry[name]('a', ['no'], { owner: 'bob' }))).toEqual(notOwner)
      await registry[name]('a', ['yes'], { owner: 'ada' })
      expect(await registry.peek('a')).toMatchObject({ value: ['yes'], owner: 'ada' })
      await registry.delete('a')
      // While its deletion waits, and afterwards.
      expect(await failureOf(() => registry[name]('a', ['no'], { owner: 'ada' }))).toEqual(needsOpen)
    },
  )

  it.each(['set', 'replace'] as const)(
    'is compared by `%s` with a session that has expired and is still to be written',
    generous,
    async (name) => {
      const { store, registry } = await make({ intervalMs: Number.POSITIVE_INFINITY })
      await registry.run('a', say('old'), { owner: 'ada' })
      await waitUntil(async () => !(await registry.has('a')))
      expect(await failureOf(() => registry[name]('a', ['no'], { owner: 'bob' }))).toEqual(notOwner)
      await registry[name]('a', ['new'], { owner: 'ada' })
      await waitUntil(async () => !(await registry.has('a')))
      await waitUntil(async () => {
        await registry.sweep()
        return store.stored('a')?.text === '["new"]'
      })

      expect(store.stored('a')?.owner).toBe('ada')
    },
  )

  it('makes `getOrCreate` of a stored session reject before it is compared', async () => {
    const { store, registry } = await make()
    store.keep(storedSession({ id: 'a', owner: 'ada' }))

    expect(await failureOf(() => registry.getOrCreate('a', undefined, { owner: 'bob' }))).toEqual(needsOpen)
  })
})
