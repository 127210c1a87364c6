import { expect, it } from 'vitest'
import { FakeArchive } from '../support/fake-archive.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type ContractHarness, type ContractOptions, eventually, record } from './harness.ts'

export function describeArchiving(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness
  const make = (store: FakeArchive, options: ContractOptions = {}) =>
    harness.make({
      timeoutMs: 4 * unitMs,
      maxTurnMs: 100 * unitMs,
      create: () => [],
      archive: store.archive,
      load: store.load,
      ...options,
    })
  type Registry = Awaited<ReturnType<typeof make>>

  const say = (registry: Registry, id: string, message: string) =>
    registry.run(id, (session) => {
      session.value.push(message)
    })

  async function letArchiveStart(store: FakeArchive, calls = 1): Promise<void> {
    await eventually(harness, () => expect(store.calls.length).toBeGreaterThanOrEqual(calls))
  }

  it('expiry: archives the session before it emits the end', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    const lines = record(registry)
    await say(registry, 'a', 'hello')
    await letArchiveStart(store)
    expect(lines).toEqual(['created a'])
    expect(store.last).toMatchObject({ id: 'a', reason: 'idle', attempt: 1 })
    expect(store.last.session.value).toEqual(['hello'])
    expect(store.last.signal.aborted).toBe(false)
    store.last.succeed()

    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a idle', 'ended a idle']))
    expect(store.calls).toHaveLength(1)
  })

  it('maximum age: archives the session', async () => {
    const store = new FakeArchive()
    const registry = await make(store, { maxAgeMs: 3 * unitMs, timeoutMs: 50 * unitMs })
    const lines = record(registry)
    await say(registry, 'a', 'hello')

    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a age', 'ended a age']))
    expect(store.last.reason).toBe('age')
  })

  it('reads: the session is absent while it is being archived', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await say(registry, 'a', 'hello')
    await letArchiveStart(store)

    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.has('a')).toBe(false)
    expect(await registry.peek('a')).toBeUndefined()
    expect(await registry.touch('a')).toBe(false)
    store.last.succeed()
  })

  it('run during the archive: waits for it, then loads the whole history', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await say(registry, 'a', 'before')
    await letArchiveStart(store)
    const back = observe(registry.run('a', (session) => session.value.push('after')))
    const opened = observe(registry.open('a'))
    await harness.advance(unitMs)
    expect(back.state).toBe('pending')
    expect(opened.state).toBe('pending')
    expect(store.loads).toEqual(['a'])
    store.last.succeed()
    await Promise.all([back.settled, opened.settled])

    expect(store.loads).toEqual(['a', 'a'])
    expect(await registry.get('a')).toEqual(['before', 'after'])
  })

  it('reopen: an archived session is loaded as a new one', async () => {
    const store = new FakeArchive()
    const registry = await make(store)
    const lines = record(registry)
    await say(registry, 'a', 'first visit')
    await eventually(harness, () => expect(lines).toContain('ended a idle'))
    await say(registry, 'a', 'second visit')

    expect(await registry.get('a')).toEqual(['first visit', 'second visit'])
    expect(lines.filter((line) => line === 'created a')).toHaveLength(2)
    expect((await registry.peek('a'))?.ageMs).toBeLessThan(4 * unitMs)
  })

  it('failure: the archive is tried again, and nothing is lost', async () => {
    const store = new FakeArchive('failing')
    const registry = await make(store)
    const lines = record(registry)
    registry.on('error', () => {})
    await say(registry, 'a', 'hello')
    await letArchiveStart(store)
    expect(lines).toEqual(['created a'])
    store.mode = 'instant'

    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a idle', 'ended a idle']))
    expect(store.stored.get('a')).toEqual(['hello'])
    expect(store.calls.length).toBeGreaterThanOrEqual(2)
    expect(store.calls.map(({ attempt }) => attempt)).toEqual(store.calls.map((_, index) => index + 1))
    expect(new Set(store.calls.map(({ session }) => session.incarnation)).size).toBe(1)
  })

  it('delete and replace: archive nothing', async () => {
    const store = new FakeArchive()
    const registry = await make(store)
    await say(registry, 'a', 'hello')
    await registry.delete('a')
    await registry.set('b', ['old'])
    await registry.replace('b', ['new'])
    await harness.advance(unitMs)

    expect(store.calls).toEqual([])
  })

  it('delete during the archive: aborts it', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    const lines = record(registry)
    await say(registry, 'a', 'hello')
    await letArchiveStart(store)

    expect(await registry.delete('a')).toBe(true)
    await eventually(harness, () => expect(store.last.signal.aborted).toBe(true))
    await eventually(harness, () => expect(lines).toEqual(['created a', 'ended a deleted']))
    store.last.fail(new Error('aborted'))
    await harness.advance(2 * unitMs)
    expect(await registry.open('a')).toEqual([])
    expect(lines).toEqual(['created a', 'ended a deleted', 'created a'])
  })

  it('delete during the archive: the id opens only after the hook has settled', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await say(registry, 'a', 'hello')
    await letArchiveStart(store)
    await registry.delete('a')
    const opened = observe(registry.open('a'))
    await harness.advance(2 * unitMs)
    expect(opened.state).toBe('pending')
    store.last.fail(new Error('aborted'))
    await opened.settled

    expect(opened.value).toEqual([])
  })

  it('archiveConcurrency: limits the archives in progress', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store, { archiveConcurrency: 2 })
    const lines = record(registry)
    for (let index = 0; index < 5; index += 1) await say(registry, `id-${index}`, 'hello')
    await letArchiveStart(store, 2)
    await harness.advance(2 * unitMs + latenessMs)
    expect(store.calls).toHaveLength(2)
    store.mode = 'instant'
    for (const call of [...store.calls]) call.succeed()

    await eventually(harness, () => expect(lines.filter((line) => line.startsWith('ended'))).toHaveLength(5))
    expect(store.mostUnderWay).toBe(2)
    expect(store.stored.size).toBe(5)
  })

  if (!harness.makes.refusesWhileArchiving) return

  it('getOrCreate during the archive: throws', async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await say(registry, 'a', 'hello')
    await letArchiveStart(store)
    const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')

    expect(await failureOf(() => registry.getOrCreate('a', () => []))).toEqual(needsOpen)
    expect(await failureOf(() => registry.set('a', []))).toEqual(needsOpen)
    store.last.succeed()
  })
}
