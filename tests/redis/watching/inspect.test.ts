import type { InspectedSession } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it, vi } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const soon = { timeout: 10_000, interval: 10 }

const anyMs = expect.any(Number)
const use = { ref: expect.any(String), ageMs: anyMs, idleMs: 0, waiting: 0, holds: [] }

describeOnRedis('inspect() on Redis', (redis) => {
  const processes = (options: Partial<RegistryOptions<string[]>> = {}) => {
    const all = { prefix: uniquePrefix(), create: () => [], intervalMs: Number.POSITIVE_INFINITY, ...options }
    return () => testRegistry<string[]>(redis, all)
  }
  const begin = async (registry: RedisSessionRegistry<string[]>, id: string) => {
    const [begun, end] = [deferred(), deferred()]
    const run = observe(
      registry.run(id, async () => {
        begun.resolve()
        await end.promise
      }),
    )
    await begun.promise
    return async () => {
      end.resolve()
      await run.settled
    }
  }

  it('nothing is used here: an empty array, whatever is in Redis', async () => {
    const registry = await processes()()
    await registry.getOrCreate('a')

    expect(await registry.inspect()).toEqual([])
  })

  it('a session in use: who runs, who waits, its holds and its age; only in the process that uses it', async () => {
    const start = processes()
    const [registry, other] = [await start(), await start()]
    await registry.getOrCreate('a', undefined, { owner: 'ada' })
    await new Promise((resolve) => setTimeout(resolve, 30))
    const end = await begin(registry, 'a')
    const waiting = [1, 2].map(() => observe(registry.run('a', () => {})))
    const hold = await registry.hold('a')
    const [entry, ...others] = await registry.inspect()
    expect(others).toEqual([])
    expect(entry).toEqual({
      ...use,
      ref: registry.ref('a'),
      id: 'a',
      state: 'held',
      owner: 'ada',
      running: { sinceMs: anyMs, whenBusy: 'wait' },
      waiting: 2,
      holds: [{ sinceMs: anyMs }],
    })
    expect(entry?.ageMs).toBeGreaterThanOrEqual(29)
    expect(entry?.running?.sinceMs).toBeLessThan(entry?.ageMs ?? 0)
    expect(await other.inspect()).toEqual([])
    await end()
    await Promise.all(waiting.map(({ settled }) => settled))
    expect(await registry.inspect()).toEqual([
      { ...use, id: 'a', state: 'held', owner: 'ada', holds: [{ sinceMs: anyMs }] },
    ])
    await hold?.release()

    expect(await registry.inspect()).toEqual([])
  })

  it('a turn that joins: runs; a turn that waits for another process: the session is held there', async () => {
    const start = processes()
    const [one, two] = [await start(), await start()]
    const end = await begin(one, 'a')
    const joinEnd = deferred()
    const joined = observe(two.run('a', () => joinEnd.promise, { whenBusy: 'join' }))
    await vi.waitFor(async () => {
      expect(await two.inspect()).toEqual([
        { ...use, id: 'a', state: 'held', running: { sinceMs: anyMs, whenBusy: 'join' } },
      ])
    }, soon)
    joinEnd.resolve()
    await joined.settled
    const next = observe(two.run('a', () => 'next'))
    await vi.waitFor(async () => {
      expect(await two.inspect()).toEqual([{ ...use, id: 'a', state: 'held', waiting: 1 }])
    }, soon)
    await end()
    await next.settled

    expect(next.value).toBe('next')
  })

  it('a session that is loaded: turns and opens that wait for it', async () => {
    const hook = new ManualLoad()
    const registry = await processes({ load: hook.load, archive: async () => {} })()
    const opened = [
      registry.open('a', { owner: 'ada' }),
      registry.open('a'),
      registry.run('a', () => {}),
      registry.run('a', () => {}),
    ]
    await vi.waitFor(async () => {
      expect(await registry.inspect()).toMatchObject([
        { id: 'a', state: 'loading', owner: 'ada', waiting: 4 },
      ])
      expect(hook.calls).toHaveLength(1)
    }, soon)
    const [entry] = (await registry.inspect()) as [InspectedSession]
    expect(entry.idleMs).toBe(entry.ageMs)
    hook.at(0).resolve(['loaded'])
    await Promise.all(opened)

    expect(await registry.inspect()).toEqual([])
  })

  it('a session that is created: by `open`, by `getOrCreate`, and for no one any more', async () => {
    const hook = new ManualCreate()
    const registry = await processes({ create: hook.create })()
    const controller = new AbortController()
    const left = observe(registry.open('left', { signal: controller.signal }))
    const opened = registry.open('opened')
    const made = registry.getOrCreate('made')
    await vi.waitFor(() => expect(hook.calls).toHaveLength(3), soon)
    controller.abort()
    await left.settled
    const entries = (await registry.inspect()).map(({ id, state, waiting }) => [id, state, waiting])
    expect(entries.toSorted()).toEqual([
      ['left', 'creating', 0],
      ['made', 'creating', 1],
      ['opened', 'creating', 1],
    ])
    for (const call of hook.calls) call.resolve([])
    await Promise.all([opened, made])

    expect(await registry.inspect()).toEqual([])
  })

  describe('an archive', () => {
    const archiving = { timeoutMs: 50, shards: 1, intervalMs: 20, archiveConcurrency: 1 }

    it('is shown with its attempts while it is under way here', async () => {
      const archive = new FakeArchive('manual')
      const registry = await processes({ ...archiving, archive: archive.archive })()
      await registry.getOrCreate('a', undefined, { owner: 'ada' })
      await vi.waitFor(() => expect(archive.calls).toHaveLength(1), soon)
      const [entry] = await registry.inspect()
      expect(entry).toEqual({ ...use, idleMs: anyMs, id: 'a', owner: 'ada', state: 'archiving', attempts: 1 })
      expect(entry?.idleMs).toBeGreaterThanOrEqual(49)
      archive.last.succeed()
      await vi.waitFor(async () => expect(await registry.inspect()).toEqual([]), soon)
    })

    it('that has not begun: has no attempt', async () => {
      const archive = new FakeArchive('manual')
      const registry = await processes({ ...archiving, archive: archive.archive })()
      await Promise.all(['a', 'b'].map((id) => registry.getOrCreate(id)))
      await vi.waitFor(async () => {
        const attempts = (await registry.inspect()).map((entry) => entry.attempts)
        expect(attempts.toSorted()).toEqual([0, 1])
      }, soon)
      archive.mode = 'instant'
      archive.last.succeed()
    })
  })

  it('is no activity, and no round trip', async () => {
    const registry = await processes({ timeoutMs: 1_000_000 })()
    const hold = await registry.acquire('a')
    const before = await registry.stats()
    await registry.inspect()

    expect(await registry.stats()).toEqual(before)
    await hold.release()
  })

  it('a closed registry: nothing', async () => {
    const registry = await processes()()
    await registry.acquire('a')
    await registry.close({ deadlineMs: 0 })

    expect(await registry.inspect()).toEqual([])
  })
})
