import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 60_000 }
const soon = { timeout: 30_000, interval: 20 }

async function all<R>(items: AsyncIterable<R>): Promise<R[]> {
  const found: R[] = []
  for await (const one of items) found.push(one)
  return found
}

describeOnRedis('a session that cannot be archived', (redis) => {
  async function withDead(options: { readonly retentionMs?: number; readonly prefix?: string } = {}) {
    const store = new FakeArchive('failing')
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      archiveAttempts: 2,
      create: () => [],
      archive: store.archive,
      ...options,
    })
    const errors: unknown[] = []
    const ended: string[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('ended', ({ id, value }, reason) => ended.push(`${id} ${value} ${reason}`))
    await registry.run('a', (session) => {
      session.value.push('hello')
    })
    await expect.poll(() => errors.length, soon).toBe(1)
    return { store, registry, errors, ended }
  }

  it('is dead-lettered after `archiveAttempts`, with an error', generous, async () => {
    const { store, registry, errors, ended } = await withDead()

    expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
    expect(errors[0]).toMatchObject({ cause: store.failure, session: { id: 'a', value: ['hello'] } })
    expect(store.calls.map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(ended).toEqual([])
    expect(await registry.has('a')).toBe(false)
    expect(await registry.size()).toBe(0)
    const dead = await all(registry.deadSessions())
    expect(dead).toEqual([
      {
        id: 'a',
        incarnation: store.last.session.incarnation,
        reason: 'idle',
        attempts: 2,
        failedAt: expect.any(Number),
        value: ['hello'],
      },
    ])
    // By the clock of Redis, which here is that of this machine.
    expect(Math.abs(Date.now() - (dead[0]?.failedAt ?? 0))).toBeLessThan(60_000)
  })

  it('blocks nothing: its id starts a new incarnation, which is archived', generous, async () => {
    const { store, registry, ended } = await withDead()
    store.mode = 'instant'
    await registry.run('a', (session) => {
      session.value.push('again')
    })

    await expect.poll(() => ended, soon).toEqual(['a again idle'])
    expect((await all(registry.deadSessions())).map(({ value }) => value)).toEqual([['hello']])
  })

  it('is archived by a retry when the store works again', generous, async () => {
    const { store, registry, ended } = await withDead()
    store.mode = 'instant'
    expect(await registry.retryDead('unknown')).toBe(0)
    expect(await registry.retryDead('a')).toBe(1)

    await expect.poll(() => ended, soon).toEqual(['a hello idle'])
    expect(store.stored.get('a')).toEqual(['hello'])
    expect(await all(registry.deadSessions())).toEqual([])
    expect(await registry.retryDead('a')).toBe(0)
  })

  it('is dead-lettered again if the retry fails', generous, async () => {
    const { store, registry, errors } = await withDead()
    expect(await registry.retryDead('a')).toBe(1)

    await expect.poll(() => errors.length, soon).toBe(2)
    expect(await all(registry.deadSessions())).toMatchObject([{ id: 'a', value: ['hello'] }])
    expect(store.calls.length).toBeGreaterThan(2)
  })

  it('is removed when it is dropped', generous, async () => {
    const { store, registry } = await withDead()
    const calls = store.calls.length
    expect(await registry.dropDead('unknown')).toBe(0)
    expect(await registry.dropDead('a')).toBe(1)

    expect(await all(registry.deadSessions())).toEqual([])
    expect(await registry.dropDead('a')).toBe(0)
    expect(await registry.retryDead('a')).toBe(0)
    expect(store.calls).toHaveLength(calls)
  })

  it('several of one id: are all listed, and dropped together', generous, async () => {
    const { registry, errors } = await withDead()
    await registry.run('a', (session) => {
      session.value.push('again')
    })
    await expect.poll(() => errors.length, soon).toBe(2)

    const dead = await all(registry.deadSessions())
    expect(dead.map(({ value }) => value).sort()).toEqual([['again'], ['hello']])
    expect(new Set(dead.map(({ incarnation }) => incarnation)).size).toBe(2)
    expect(await registry.dropDead('a')).toBe(2)
    expect(await all(registry.deadSessions())).toEqual([])
  })

  it('is kept for `retentionMs`', generous, async () => {
    const { registry } = await withDead({ retentionMs: 1_500 })
    expect(await all(registry.deadSessions())).toHaveLength(1)

    await expect.poll(() => all(registry.deadSessions()), soon).toEqual([])
    expect(await registry.retryDead('a')).toBe(0)
  })

  it('is removed after `retentionMs` although newer incarnations of its id are kept', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const { registry, errors } = await withDead({ retentionMs: 1_500, prefix })
    const firstDiedAt = performance.now()
    let lives = 1
    while (performance.now() - firstDiedAt < 1_600) {
      await registry.run('a', (session) => {
        session.value.push('again')
      })
      lives += 1
      await waitUntil(() => errors.length === lives)
    }

    const [older] = await keysWith(admin, `${prefix}*:x:a`)
    const fields = await admin.hKeys(older?.key ?? '')
    expect(fields.filter((field) => field.endsWith(':d')).length).toBeLessThan(lives)
    expect((await all(registry.deadSessions())).length).toBeLessThan(lives)
  })

  it('does not delay other sessions', generous, async () => {
    const store = new FakeArchive()
    const archived: string[] = []
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 300,
      archiveConcurrency: 2,
      create: () => ['x'],
      archive: async ({ id }) => {
        if (id.startsWith('poison')) throw store.failure
        archived.push(id)
      },
    })
    registry.on('error', () => {})
    const ids = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? `poison-${index}` : `well-${index}`,
    )
    await Promise.all(ids.map((id) => registry.getOrCreate(id)))

    await expect.poll(() => archived.length, soon).toBe(10)
  })
})
