import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { readAll } from '../../support/read-all.ts'
import type { ClientKind } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

describeOnRedis('the attempts to archive a session', (redis) => {
  function processes(options: { readonly archiveAttempts: number; readonly kind?: ClientKind }) {
    const shared = {
      prefix: uniquePrefix(),
      shards: 1,
      timeoutMs: 50,
      leaseMs: 300,
      intervalMs: 50,
      callTimeoutMs: 200,
      archiveConcurrency: 1,
      ...options,
    }
    /** Starts a process that archives to this store until it is disconnected from Redis, as by a crash. */
    const start = async (store: FakeArchive) => {
      const proxy = await testProxy(redis.url)
      const registry = await testRegistry<string[]>(proxy, { ...shared, archive: store.archive })
      const errors: unknown[] = []
      registry.on('error', (error) => errors.push(error))
      await registry.has('unknown')
      return { registry, errors, crash: () => proxy.refuse() }
    }
    const visit = async (...ids: string[]) => {
      const registry = await testRegistry<string[]>(redis, { ...shared, archives: false })
      for (const id of ids) await registry.set(id, [id])
      for (const id of ids) await waitUntil(async () => !(await registry.has(id)))
    }
    return { start, visit }
  }

  it.each(['redis', 'ioredis'] as const)(
    'attempt: a claim that only waited is not counted, however many processes crash (%s)',
    generous,
    async (kind) => {
      const { start, visit } = processes({ archiveAttempts: 12, kind })
      await visit('a', 'b')
      const begun: string[] = []
      for (let crashes = 1; crashes <= 5; crashes += 1) {
        const store = new FakeArchive('manual')
        const { registry, crash } = await start(store)
        await expect.poll(async () => (await registry.stats()).archiving, soon).toBe(2)
        await expect.poll(() => store.calls.length, soon).toBe(1)
        expect(store.last.attempt).toBe(1 + begun.filter((id) => id === store.last.id).length)
        begun.push(store.last.id)
        crash()
      }
      const store = new FakeArchive()
      await start(store)
      await expect.poll(() => store.calls.length, soon).toBe(2)

      for (const { id, attempt } of store.calls) {
        expect(attempt, id).toBe(1 + begun.filter((other) => other === id).length)
      }
    },
  )

  it(
    'attempt: archives that began in crashed processes are counted, and `archiveAttempts` holds',
    generous,
    async () => {
      const { start, visit } = processes({ archiveAttempts: 2 })
      await visit('a')
      for (const attempt of [1, 2]) {
        const store = new FakeArchive('manual')
        const { crash } = await start(store)
        await expect.poll(() => store.calls.map((call) => call.attempt), soon).toEqual([attempt])
        crash()
      }
      const store = new FakeArchive()
      const { registry, errors } = await start(store)
      await expect.poll(() => errors, soon).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])

      expect(store.calls).toEqual([])
      expect(await readAll(registry.deadSessions())).toMatchObject([{ id: 'a', attempts: 2 }])
    },
  )

  it('attempt: a pause follows each failed one, so that all are spread over minutes', generous, async () => {
    const { start, visit } = processes({ archiveAttempts: 12 })
    const store = new FakeArchive('failing')
    const { errors, registry } = await start(store)
    const calledAt: number[] = []
    await visit('a')
    await waitUntil(() => {
      if (store.calls.length > calledAt.length) calledAt.push(performance.now())
      return calledAt.length === 5
    })
    const pauses = calledAt.slice(1).map((at, index) => at - (calledAt[index] ?? 0))

    // 200 ms, doubled each time; half of each pause is jitter.
    for (const [index, pauseMs] of pauses.entries()) expect(pauseMs).toBeGreaterThan(80 * 2 ** index)
    expect(errors).toEqual([])
    expect(await registry.deadCount()).toBe(0)
  })
})
