import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { EventRecorder } from '../../support/event-recorder.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const soon = { timeout: 10_000, interval: 10 }

describeOnRedis('close of one of several processes', (redis) => {
  it('ends no session, and reports nothing if nothing was under way', async () => {
    const prefix = uniquePrefix()
    const registry = await testRegistry<string[]>(redis, { prefix })
    const events = new EventRecorder<string[]>(registry)
    await registry.set('a', ['kept'])
    expect(await registry.close()).toEqual({ ended: 0, archived: 0, failed: [] })

    expect(events.lines).toEqual(['created a'])
    const other = await testRegistry<string[]>(redis, { prefix })
    expect(await other.get('a')).toEqual(['kept'])
  })

  it('reads: find nothing; create and delete are refused', async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    await registry.set('a', ['kept'])
    await registry.close()

    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.has('a')).toBe(false)
    expect(await registry.size()).toBe(0)
    expect(await registry.hold('a')).toBeUndefined()
    for await (const id of registry.keys()) expect.unreachable(id)
    expect((await registry.stats()).size).toBe(0)
    const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')
    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(closed)
    expect(await failureOf(() => registry.open('a'))).toEqual(closed)
    // `false` or 0 would mean that there was no session, but it lives on.
    expect(await failureOf(() => registry.delete('a'))).toEqual(closed)
    expect(await failureOf(() => registry.clear())).toEqual(closed)
    expect(await failureOf(() => registry.retryDead('a'))).toEqual(closed)
    expect(await failureOf(() => registry.dropDead('a'))).toEqual(closed)
    expect(await failureOf(() => registry.delete(''))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
  })

  it('delete while closing: is carried out', async () => {
    const prefix = uniquePrefix()
    const store = new FakeArchive('manual')
    const registry = await testRegistry<string[]>(redis, { prefix, timeoutMs: 100, archive: store.archive })
    await registry.set('archiving', [])
    await expect.poll(() => store.calls.length, soon).toBe(1)
    const other = await testRegistry<string[]>(redis, { prefix, timeoutMs: 60_000 })
    await other.set('a', ['kept'])
    const closing = observe(registry.close())
    expect(await registry.delete('a')).toBe(true)
    expect(closing.state).toBe('pending')
    store.last.succeed()
    await closing.settled

    expect(await other.has('a')).toBe(false)
  })

  it('archives: waits for the running one, counts it, and releases claims that have not begun', async () => {
    const prefix = uniquePrefix()
    const store = new FakeArchive('manual')
    const options = { prefix, timeoutMs: 100, archiveConcurrency: 1 }
    const registry = await testRegistry<string[]>(redis, { ...options, archive: store.archive })
    for (const id of ['a', 'b']) await registry.set(id, [id])
    await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(2)
    const closing = observe(registry.close())
    const second = new FakeArchive()
    const other = await testRegistry<string[]>(redis, { ...options, archive: second.archive })
    await other.has('unknown')
    // Long before the lease lapses, and as the first attempt.
    await expect.poll(() => second.calls.map(({ attempt }) => attempt), soon).toEqual([1])
    expect(closing.state).toBe('pending')
    store.last.succeed()
    await closing.settled

    expect(closing.value).toEqual({ ended: 1, archived: 1, failed: [] })
    expect([...store.stored.keys(), ...second.stored.keys()].sort()).toEqual(['a', 'b'])
  })

  it('deadline: aborts an archive, reports it, and leaves it to another process', async () => {
    const prefix = uniquePrefix()
    const store = new FakeArchive('manual')
    const options = { prefix, timeoutMs: 100 }
    const registry = await testRegistry<string[]>(redis, { ...options, archive: store.archive })
    const events = new EventRecorder<string[]>(registry)
    await registry.set('a', ['hello'])
    await expect.poll(() => store.calls.length, soon).toBe(1)
    const report = await registry.close({ deadlineMs: 50 })

    expect(report).toMatchObject({ ended: 0, archived: 0 })
    expect(report.failed.map(({ id, value }) => [id, value])).toEqual([['a', ['hello']]])
    expect(store.last.signal.reason).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(events.lines).toEqual(['created a'])
    const second = new FakeArchive()
    const other = await testRegistry<string[]>(redis, { ...options, archive: second.archive })
    await other.has('unknown')
    await expect.poll(() => [...second.stored], soon).toEqual([['a', ['hello']]])
  })

  it('deadline: ends a turn, saves nothing of it, and releases its lock', async () => {
    const prefix = uniquePrefix()
    const registry = await testRegistry<string[]>(redis, { prefix, turnGraceMs: 50, create: () => [] })
    const other = await testRegistry<string[]>(redis, { prefix, create: () => [] })
    const started = deferred()
    const running = observe(
      registry.run('a', async (session) => {
        session.value.push('never saved')
        started.resolve()
        await new Promise(() => {})
      }),
    )
    await started.promise
    await registry.close({ deadlineMs: 20 })

    expect(running.error).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(await other.run('a', ({ value }) => value, { whenBusy: 'reject' })).toEqual([])
  })

  it('holds: are kept until the deadline, then released', async () => {
    const prefix = uniquePrefix()
    const registry = await testRegistry<string[]>(redis, { prefix })
    const other = await testRegistry<string[]>(redis, { prefix })
    await registry.set('a', [])
    await registry.hold('a')
    const closing = observe(registry.close({ deadlineMs: 200 }))
    expect((await other.peek('a'))?.held).toBe(true)
    expect(closing.state).toBe('pending')
    await closing.settled

    await expect.poll(async () => (await other.peek('a'))?.held, soon).toBe(false)
  })
})
