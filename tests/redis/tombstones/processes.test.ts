import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
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

  it('a process that died with a claim: without an archive the session is gone all the same', async () => {
    const make = processes({ intervalMs: never })
    const proxy = await testProxy(redis.url)
    const prefix = uniquePrefix()
    const options = { prefix, timeoutMs: 50, tombstoneMs: 60_000, intervalMs: never, callTimeoutMs: 500 }
    const dying = await testRegistry<string[]>(proxy, options)
    const other = await make({ prefix })
    dying.on('error', () => {})
    await dying.set('a', [])
    await waitUntil(async () => !(await other.has('a')))
    proxy.swallowAnswers()
    await dying.sweep().catch(() => {})

    expect((await other.whyGone('a'))?.reason).toBe('idle')
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
