import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import {
  byIncarnation,
  expectOneEndEach,
  lostIn,
  outOfOrderIn,
  overlapsIn,
} from '../../support/journal-checks.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { testWorkers } from '../../support/redis-workers.ts'
import type { Tally } from '../../support/worker-jobs.ts'

const generous = { timeout: 90_000 }
const soon = { timeout: 20_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => {
  session.value.push(word)
}

describeOnRedis('an id reopened before its old incarnation is archived', (redis) => {
  const make = (archive: FakeArchive, options: { readonly load?: FakeArchive['load'] } = {}) =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 500,
      maxTurnMs: 30_000,
      create: () => [],
      archive: archive.archive,
      ...options,
    })

  it('starts a new incarnation at once, separate from the old one', generous, async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await registry.run('a', say('old'))
    await expect.poll(() => store.calls.length, soon).toBe(1)

    await registry.run('a', say('new'))
    expect(await registry.get('a')).toEqual(['new'])
    expect(store.last.session.value).toEqual(['old'])
    store.last.succeed()
    await expect.poll(() => store.calls.length, soon).toBe(2)
    expect(store.calls.map(({ session }) => session.value)).toEqual([['old'], ['new']])
    expect(store.calls[0]?.session.incarnation).not.toBe(store.calls[1]?.session.incarnation)
    store.last.succeed()
  })

  it(
    'starts a new incarnation although no process has seen the deadline of the old one',
    generous,
    async () => {
      const prefix = uniquePrefix()
      const store = new FakeArchive()
      const options = { prefix, timeoutMs: 500, create: () => [], archive: store.archive }
      const neverClaims = await testRegistry<string[]>(redis, {
        ...options,
        intervalMs: Number.POSITIVE_INFINITY,
      })
      await neverClaims.run('a', say('first'))
      await expect.poll(() => neverClaims.has('a'), soon).toBe(false)
      await neverClaims.run('a', say('second'))
      await expect.poll(() => neverClaims.has('a'), soon).toBe(false)
      await neverClaims.run('a', say('third'))
      expect(store.calls).toEqual([])

      const claims = await testRegistry<string[]>(redis, options)
      await claims.has('unknown')
      await expect.poll(() => store.calls.length, soon).toBe(3)
      expect(store.calls.map(({ session }) => session.value)).toEqual([['first'], ['second'], ['third']])
    },
  )

  it('never archives two incarnations at once', generous, async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store)
    await registry.run('a', say('old'))
    await expect.poll(() => store.calls.length, soon).toBe(1)
    await registry.run('a', say('new'))
    await expect.poll(() => registry.has('a'), soon).toBe(false)
    // A session that expires later proves that the deadlines were polled since.
    await registry.run('b', say('witness'))
    await expect.poll(() => store.callsOf('b').length, soon).toBe(1)
    expect(store.callsOf('a')).toHaveLength(1)
    for (const call of [...store.calls]) call.succeed()

    await expect.poll(() => store.callsOf('a').length, soon).toBe(2)
    store.last.succeed()
  })

  it('archives in the order of incarnations if a claimed one has to wait', generous, async () => {
    const prefix = uniquePrefix()
    const options = { prefix, timeoutMs: 300, archiveConcurrency: 1, create: () => [] }
    const visitors = await testRegistry<string[]>(redis, {
      ...options,
      intervalMs: Number.POSITIVE_INFINITY,
    })
    const firstStore = new FakeArchive('manual')
    const secondStore = new FakeArchive('manual')
    const claims = async (archive: FakeArchive['archive'], count: number) => {
      const registry = await testRegistry<string[]>(redis, { ...options, archive })
      await registry.has('unknown')
      await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(count)
      return registry
    }
    // The first process archives the first incarnation, and another session waits there: it claims no more.
    await visitors.run('a', say('first'))
    await visitors.run('waiting', say('hello'))
    await claims(firstStore.archive, 2)
    await expect.poll(() => firstStore.callsOf('a').length, soon).toBe(1)
    // The second one is busy too, and claims the second incarnation without archiving it yet.
    await visitors.run('b', say('hello'))
    const second = await claims(secondStore.archive, 1)
    await visitors.run('a', say('second'))
    await expect.poll(async () => (await second.stats()).archiving, soon).toBe(2)
    await visitors.run('a', say('third'))
    secondStore.last.succeed()

    await expect.poll(async () => (await second.stats()).archiving, soon).toBe(0)
    expect(secondStore.callsOf('a')).toEqual([])
    firstStore.mode = 'instant'
    secondStore.mode = 'instant'
    for (const { succeed } of [...firstStore.calls]) succeed()
    const archived = () => [...firstStore.callsOf('a'), ...secondStore.callsOf('a')]
    await expect.poll(() => archived().length, soon).toBe(3)
    expect(
      archived()
        .map(({ session }) => session.value)
        .sort(),
    ).toEqual([['first'], ['second'], ['third']])
  })

  it('with `load`: waits for the old incarnation, and has the whole history', generous, async () => {
    const store = new FakeArchive('manual')
    const registry = await make(store, { load: store.load })
    await registry.run('a', say('old'))
    await expect.poll(() => store.calls.length, soon).toBe(1)
    const back = observe(registry.run('a', say('new')))
    // Long enough for a turn that does not wait: another one, on another session.
    await registry.run('b', say('witness'))
    expect(back.state).toBe('pending')
    store.last.succeed()
    await back.settled

    expect(back.state).toBe('fulfilled')
    expect(await registry.get('a')).toEqual(['old', 'new'])
    store.mode = 'instant'
  })

  it('under load: every save is in the archive of its incarnation', generous, async () => {
    const processes = testWorkers(redis, {
      options: { timeoutMs: 40, intervalMs: 100, maxTurnMs: 30_000, leaseMs: 10_000 },
      archive: { leastMs: 0, mostMs: 30 },
    })
    const { journal } = processes
    const workers = await processes.start(3)
    const ids = Array.from({ length: 80 }, (_, index) => `visitor-${index}`)
    const traffic = workers.map((worker) => worker.do('traffic', { ids, parallel: 3, atMost: 400 }))
    const outcomes = await Promise.all(traffic)
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([])
    const saved = byIncarnation(journal.read(), 'saved')
    await expect.poll(() => lostIn(journal.read()), { timeout: 40_000, interval: 100 }).toEqual([])

    const lines = journal.read()
    // Otherwise nothing was tested.
    expect(saved.size).toBeGreaterThan(2 * ids.length)
    expect([...byIncarnation(lines, 'archived').values()].filter(({ length }) => length > 1)).toEqual([])
    expect(overlapsIn(lines)).toEqual([])
    expect(outOfOrderIn(lines)).toEqual([])
    expectOneEndEach(lines)
  })

  it('under load: one history continues through all incarnations', generous, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'session-registry-store-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const processes = testWorkers(redis, {
      options: { timeoutMs: 40, intervalMs: 100, maxTurnMs: 30_000, leaseMs: 10_000 },
      archive: { leastMs: 0, mostMs: 20 },
      store: folder,
    })
    const { journal } = processes
    const workers = await processes.start(2)
    const ids = Array.from({ length: 40 }, (_, index) => `visitor-${index}`)
    const outcomes = await Promise.all(
      workers.map((worker) => worker.do('traffic', { ids, parallel: 3, atMost: 400 })),
    )
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([])
    await expect.poll(() => lostIn(journal.read()), { timeout: 40_000, interval: 100 }).toEqual([])

    const lines = journal.read()
    const stored = (id: string) => JSON.parse(readFileSync(join(folder, id), 'utf8')) as Tally
    for (const id of ids) {
      const saves = lines.filter((line) => line.what === 'saved' && line.id === id)
      if (saves.length > 0) expect(stored(id), id).toEqual({ n: saves.length })
    }
    expect(byIncarnation(lines, 'saved').size).toBeGreaterThan(2 * ids.length)
    expect(overlapsIn(lines)).toEqual([])
    expect(outOfOrderIn(lines)).toEqual([])
    expectOneEndEach(lines)
  })
})
