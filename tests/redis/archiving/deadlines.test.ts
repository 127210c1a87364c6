import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'

const soon = { timeout: 20_000, interval: 10 }

// Far longer than any test, so that no session is found by a regular poll.
const nextLook = 600_000

describeOnRedis('deadlines', (redis) => {
  it('are met by the process that set them, between two polls', { timeout: 60_000 }, async () => {
    const store = new FakeArchive()
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      intervalMs: nextLook,
      maxTurnMs: 60_000,
      create: () => [],
      archive: store.archive,
    })
    const ids = ['got', 'set', 'opened', 'turned', 'shortened', 'held']
    await registry.getOrCreate('got')
    await registry.set('set', [])
    await registry.open('opened')
    await registry.run('turned', () => {})
    await registry.set('shortened', [], { timeoutMs: nextLook })
    await registry.run('shortened', (session) => {
      session.timeoutMs = 300
    })
    await registry.set('held', [])
    const hold = await registry.hold('held')
    await expect.poll(() => store.calls.map(({ id }) => id).sort(), soon).toEqual(ids.slice(0, 5).sort())
    await hold?.release()

    await expect.poll(() => store.calls.map(({ id }) => id).sort(), soon).toEqual([...ids].sort())
  })

  it('are met after a failed archive, and for a dead letter that is retried', {
    timeout: 60_000,
  }, async () => {
    const store = new FakeArchive('failing')
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      intervalMs: nextLook,
      archiveAttempts: 2,
      archive: store.archive,
    })
    const failures: unknown[] = []
    registry.on('error', (error) => failures.push(error))
    await registry.set('a', ['hello'])
    await expect.poll(() => failures.length, soon).toBe(1)
    store.mode = 'instant'
    await registry.retryDead('a')

    await expect.poll(() => [...store.stored], soon).toEqual([['a', ['hello']]])
  })

  it('of a process that exited are met by another at its next poll', { timeout: 60_000 }, async () => {
    const prefix = uniquePrefix()
    const store = new FakeArchive()
    const options = { prefix, timeoutMs: 300, archive: store.archive }
    const other = await testRegistry<string[]>(redis, { ...options, intervalMs: 200 })
    await other.has('unknown')
    const gone = await testRegistry<string[]>(redis, { ...options, intervalMs: nextLook })
    await gone.set('a', ['hello'])
    await gone.close()

    await expect.poll(() => [...store.stored], soon).toEqual([['a', ['hello']]])
  })

  it('are met by sweep(), which has emitted its ends and its `swept` when it settles', async () => {
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 50,
      intervalMs: Number.POSITIVE_INFINITY,
    })
    const recorded: unknown[] = []
    registry.on('ended', ({ id }, reason) => recorded.push(`${id} ${reason}`))
    registry.on('swept', ({ expired, remaining }) => recorded.push({ expired, remaining }))
    for (const id of ['a', 'b']) await registry.set(id, [])
    for (const id of ['a', 'b']) await waitUntil(async () => !(await registry.has(id)))
    await registry.set('c', [])
    expect(await registry.sweep()).toBe(2)

    expect(recorded.slice(0, 2).toSorted()).toEqual(['a idle', 'b idle'])
    expect(recorded.slice(2)).toEqual([{ expired: 2, remaining: 1 }])
  })
})
