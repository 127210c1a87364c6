import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import type { ClientKind } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('an id opened before its old incarnation is archived', (redis) => {
  function processes(
    store: FakeArchive,
    options: { readonly kind?: ClientKind; readonly maxTurnMs?: number } = {},
  ) {
    const shared = {
      prefix: uniquePrefix(),
      timeoutMs: 150,
      intervalMs: 100,
      create: () => [],
      archive: store.archive,
      load: store.load,
      ...options,
    }
    return (own: { readonly intervalMs?: number; readonly archiveConcurrency?: number } = {}) =>
      testRegistry<string[]>(redis, { ...shared, ...own })
  }

  it.each(['redis', 'ioredis'] as const)(
    'maxTurnMs: `open` and `run` reject after it, and nothing continues from the older state (%s)',
    generous,
    async (kind) => {
      const store = new FakeArchive('manual')
      store.stored.set('a', ['long ago'])
      const start = processes(store, { kind, maxTurnMs: 300 })
      const registry = await start()
      await registry.run('a', (session) => session.value.push('yesterday'))
      await expect.poll(() => store.calls.length, soon).toBe(1)
      const [run, open] = await Promise.all([
        failureOf(() => registry.run('a', (session) => session.value.push('today'))),
        failureOf(() => registry.open('a')),
      ])
      expect(run).toEqual(sessionError('ERR_SESSION_BUSY'))
      expect(open).toEqual(sessionError('ERR_SESSION_BUSY'))
      expect(await registry.has('a')).toBe(false)
      store.last.succeed()
      await expect.poll(() => store.stored.get('a'), soon).toEqual(['long ago', 'yesterday'])
      store.mode = 'instant'

      expect(await registry.open('a')).toEqual(['long ago', 'yesterday'])
    },
  )

  it('order: is archived before all that expired earlier', generous, async () => {
    const others = 3_000
    const store = new FakeArchive()
    const start = processes(store)
    const visitors = await start({ intervalMs: never })
    const ids = Array.from({ length: others }, (_, index) => `visitor-${index}`)
    for (let from = 0; from < others; from += 500) {
      await Promise.all(ids.slice(from, from + 500).map((id) => visitors.set(id, [])))
    }
    await visitors.set('ada', ['hello'])
    await waitUntil(async () => !(await visitors.has('ada')))
    const archiving = await start()
    const archivedBefore = () => store.calls.findIndex(({ id }) => id === 'ada')
    await archiving.has('unknown')
    await expect.poll(() => store.calls.length, soon).toBeGreaterThan(0)
    const startedAt = performance.now()
    expect(await archiving.open('ada')).toEqual(['hello'])
    const tookMs = performance.now() - startedAt

    expect(tookMs).toBeLessThan(300)
    expect(archivedBefore()).toBeLessThan(others / 2)
    await expect.poll(() => store.stored.size, soon).toBe(others + 1)
  })

  it('order: is taken from another process that claimed it and archives others', generous, async () => {
    const busyStore = new FakeArchive('manual')
    const store = new FakeArchive()
    const prefix = uniquePrefix()
    const shared = { prefix, shards: 1, timeoutMs: 100, create: () => [] }
    const visitors = await testRegistry<string[]>(redis, { ...shared, archives: false })
    for (const id of ['first', 'second']) await visitors.set(id, [id])
    await waitUntil(async () => !(await visitors.has('second')))
    const busy = await testRegistry<string[]>(redis, {
      ...shared,
      archiveConcurrency: 1,
      archive: busyStore.archive,
    })
    await busy.has('unknown')
    await expect.poll(async () => (await busy.stats()).archiving, soon).toBe(2)
    await expect.poll(() => busyStore.calls.length, soon).toBe(1)
    const waiting = busyStore.last.id === 'first' ? 'second' : 'first'
    const other = await testRegistry<string[]>(redis, {
      ...shared,
      intervalMs: 600_000,
      archive: store.archive,
      load: store.load,
    })
    expect(await other.open(waiting)).toEqual([waiting])
    expect(store.last).toMatchObject({ id: waiting, attempt: 1 })
    busyStore.last.succeed()

    await expect.poll(async () => (await busy.stats()).archiving, soon).toBe(0)
    expect(busyStore.calls).toHaveLength(1)
  })

  it('order: is waited for, and not taken, while another process archives it', generous, async () => {
    const slow = new FakeArchive('manual')
    const start = processes(slow)
    const archiving = await start()
    await archiving.set('a', ['hello'])
    await expect.poll(() => slow.calls.length, soon).toBe(1)
    const other = await start({ intervalMs: 50 })
    const opened = [observe(other.open('a')), observe(archiving.open('a'))]
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(opened.map(({ state }) => state)).toEqual(['pending', 'pending'])
    slow.last.succeed()
    await Promise.all(opened.map(({ settled }) => settled))

    expect(opened.map(({ value }) => value)).toEqual([['hello'], ['hello']])
    expect(slow.calls).toHaveLength(1)
    slow.mode = 'instant'
  })

  it('order: is archived by the others if this process claims nothing', generous, async () => {
    const store = new FakeArchive()
    const start = processes(store)
    const visiting = await start({ intervalMs: never })
    await visiting.set('a', ['hello'])
    await waitUntil(async () => !(await visiting.has('a')))
    const opened = observe(visiting.open('a'))
    const archiving = await start()
    await archiving.has('unknown')
    await opened.settled

    expect(opened.value).toEqual(['hello'])
    expect(store.calls).toHaveLength(1)
  })

  it('pause: a waiting visitor shortens the pause between two attempts', generous, async () => {
    const store = new FakeArchive('failing')
    const start = processes(store)
    const registry = await start()
    await registry.set('a', ['hello'])
    // The sixth pause takes three seconds at the least.
    await expect.poll(() => store.calls.length, soon).toBe(6)
    store.mode = 'instant'
    const startedAt = performance.now()

    expect(await registry.open('a')).toEqual(['hello'])
    expect(performance.now() - startedAt).toBeLessThan(1_500)
  })

  it('delete: waits for the hook of a deleted incarnation to settle', generous, async () => {
    const written = deferred()
    const stored = new Map<string, string[]>()
    let calls = 0
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 100,
      create: () => [],
      load: async (id) => stored.get(id),
      archive: async ({ id, value }) => {
        calls += 1
        // The hook ignores its signal.
        await written.promise
        stored.set(id, value)
      },
    })
    await registry.set('a', ['deleted'])
    await expect.poll(() => calls, soon).toBe(1)
    expect(await registry.delete('a')).toBe(true)
    const opened = observe(registry.open('a'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(opened.state).toBe('pending')
    written.resolve()
    await opened.settled

    expect(opened.value).toEqual(['deleted'])
  })

  it(
    'delete: the archive of the next incarnation begins when the hook of the deleted one has settled',
    generous,
    async () => {
      const written = deferred()
      const calls: string[][] = []
      const registry = await testRegistry<string[]>(redis, {
        prefix: uniquePrefix(),
        timeoutMs: 100,
        intervalMs: 50,
        archive: async ({ value }) => {
          calls.push(value)
          // The hook ignores its signal.
          if (calls.length === 1) await written.promise
        },
      })
      await registry.set('a', ['deleted'])
      await expect.poll(() => calls.length, soon).toBe(1)
      await registry.delete('a')
      await registry.set('a', ['new'])
      await waitUntil(async () => !(await registry.has('a')))
      await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(calls).toEqual([['deleted']])
      written.resolve()

      await expect.poll(() => calls, soon).toEqual([['deleted'], ['new']])
    },
  )
})

describeOnRedis('a value loaded long ago', (redis) => {
  function processes(store: FakeArchive) {
    const shared = {
      prefix: uniquePrefix(),
      timeoutMs: 100,
      intervalMs: 50,
      create: () => [],
      archive: store.archive,
    }
    const slow = { asked: deferred(), answer: deferred(), loads: 0 }
    const load = async (id: string) => {
      const value = await store.load(id)
      slow.loads += 1
      if (slow.loads === 1) {
        slow.asked.resolve()
        await slow.answer.promise
      }
      return value
    }
    return {
      slow,
      slowOne: () => testRegistry<string[]>(redis, { ...shared, load }),
      quickOne: () => testRegistry<string[]>(redis, { ...shared, load: store.load }),
    }
  }

  it('load: is not used after another process archived a newer incarnation', generous, async () => {
    const store = new FakeArchive()
    store.stored.set('a', ['long ago'])
    const { slow, slowOne, quickOne } = processes(store)
    const [one, other] = [await slowOne(), await quickOne()]
    const opened = observe(one.open('a'))
    await slow.asked.promise
    await other.run('a', (session) => session.value.push('meanwhile'))
    await expect.poll(() => store.stored.get('a'), soon).toEqual(['long ago', 'meanwhile'])
    await waitUntil(async () => (await other.size()) === 0)
    slow.answer.resolve()
    await opened.settled

    expect(opened.value).toEqual(['long ago', 'meanwhile'])
    expect(slow.loads).toBe(2)
  })

  it('load: is not used after another process deleted the id', generous, async () => {
    const store = new FakeArchive()
    store.stored.set('a', ['of another process'])
    const { slow, slowOne, quickOne } = processes(store)
    const [one, other] = [await slowOne(), await quickOne()]
    const opened = observe(one.open('a'))
    await slow.asked.promise
    store.stored.delete('a')
    await other.delete('a')
    slow.answer.resolve()
    await opened.settled

    expect(opened.value).toEqual([])
  })
})
