import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { administrator } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const soon = { timeout: 20_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('whyGone, of several processes', (redis) => {
  function processes(shared: Partial<RegistryOptions<string[]>> = {}) {
    const prefix = uniquePrefix()
    return (own: Partial<RegistryOptions<string[]>> = {}) =>
      testRegistry<string[]>(redis, {
        prefix,
        timeoutMs: 60_000,
        tombstoneMs: 60_000,
        create: () => [],
        ...shared,
        ...own,
      })
  }

  it('every process tells what ended in any of them', async () => {
    const make = processes()
    const [one, other] = [await make(), await make()]
    await one.set('deleted', [])
    await one.set('expired', [], { timeoutMs: 50 })
    await other.delete('deleted')
    await waitUntil(async () => (await one.stats()).size === 0)

    for (const registry of [one, other]) {
      expect((await registry.whyGone('deleted'))?.reason).toBe('deleted')
      expect((await registry.whyGone('expired'))?.reason).toBe('idle')
    }
    expect(await one.whyGone('expired')).toEqual(await other.whyGone('expired'))
  })

  it('a process that begins later tells it as well', async () => {
    const make = processes()
    const first = await make()
    await first.set('a', [])
    await first.delete('a')
    await first.close()

    expect((await (await make()).whyGone('a'))?.reason).toBe('deleted')
  })

  it('the id in use: a session created without `tombstoneMs` is not told to be gone', async () => {
    const make = processes()
    const [one, without] = [await make(), await make({ tombstoneMs: 0 })]
    await one.set('a', [])
    await one.delete('a')
    await without.set('a', [])
    expect(await one.whyGone('a')).toBeUndefined()
    expect(await without.whyGone('a')).toBeUndefined()
    await one.delete('a')

    expect((await one.whyGone('a'))?.reason).toBe('deleted')
    expect(await without.whyGone('a')).toBeUndefined()
  })

  it('not claimed by any process: its deadline is told, with `archive` as well', async () => {
    const { archive } = new FakeArchive()
    for (const options of [{}, { archive }]) {
      const make = processes({ intervalMs: never, ...options })
      const [one, other] = [await make(), await make()]
      const deadlines: number[] = []
      one.on('created', ({ createdAt }) => deadlines.push(createdAt + 50))
      await one.set('a', [], { timeoutMs: 50 })
      await waitUntil(async () => !(await one.has('a')))

      expect(await other.whyGone('a')).toEqual({ reason: 'idle', endedAt: deadlines[0] })
    }
  })

  it('an observer: what another process archives is not gone', async () => {
    const store = new FakeArchive('manual')
    const make = processes()
    const archiving = await make({ archive: store.archive })
    const observer = await make({ archives: false })
    await archiving.set('a', [], { timeoutMs: 50 })
    await expect.poll(() => store.calls.length, soon).toBe(1)
    expect(await observer.whyGone('a')).toBeUndefined()
    store.last.succeed()

    await expect.poll(async () => (await observer.whyGone('a'))?.reason, soon).toBe('idle')
  })

  it('claimed by a process that died: without an archive the session is gone all the same', async () => {
    const prefix = uniquePrefix()
    const registry = await processes({ prefix, shards: 1, intervalMs: never })()
    const admin = await administrator(redis)
    const key = (name: string) => `{${prefix}:0}:${name}`
    await registry.set('a', [], { timeoutMs: 50 })
    await waitUntil(async () => !(await registry.has('a')))
    const [value = ''] = await admin.zRange(key('dl'), 0, -1)
    await admin.zRem(key('dl'), value)
    await admin.zAdd(key('px'), { value, score: Date.now() + 60_000 })
    await admin.hSet(key('lt'), value, 'token:0')
    expect((await registry.whyGone('a'))?.reason).toBe('idle')
    const ended: string[] = []
    registry.on('ended', (_session, reason) => ended.push(reason))
    await registry.delete('a')

    expect(ended).toEqual(['deleted'])
    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })

  it('a store: the deletion of an id without a session is not the end of one', async () => {
    const store = new RecordingStore()
    const registry = await processes({ store })()
    await registry.forget('ada')

    expect(store.count('delete')).toBe(1)
    expect(await registry.whyGone('ada')).toBeUndefined()
  })

  it('a store: the end is told while its deletion from the store has not been made', async () => {
    const store = new RecordingStore()
    const make = processes({ store })
    const [one, other] = [await make(), await make()]
    await one.run('ada', (session) => session.value.push('hello'))
    const gate = store.hold('delete')
    await one.delete('ada')
    await expect.poll(() => store.count('delete'), soon).toBe(1)
    const gone = await other.whyGone('ada')
    expect(gone?.reason).toBe('deleted')
    gate.resolve()
    expect(await other.open('ada')).toEqual([])

    expect(await other.whyGone('ada')).toBeUndefined()
  })

  it('a store: a session that ended by its idle time is told of until it is read again', async () => {
    const store = new RecordingStore()
    const make = processes({ store, timeoutMs: 100 })
    const [one, other] = [await make(), await make()]
    await one.run('ada', (session) => session.value.push('hello'))
    await expect.poll(() => store.stored('ada')?.text, soon).toBe('["hello"]')
    await expect.poll(async () => (await other.whyGone('ada'))?.reason, soon).toBe('idle')
    const hold = await other.acquire('ada')

    expect(await one.whyGone('ada')).toBeUndefined()
    await hold.release()
  })
})
