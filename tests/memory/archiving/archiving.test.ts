import type { SessionRegistry } from 'session-registry'
import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

function archived(store: FakeArchive, options: Parameters<typeof clockedRegistry>[0] = {}) {
  const made = clockedRegistry({ timeoutMs: 1_000, archive: store.archive, load: store.load, ...options })
  /** Expires the session, so that its archive begins. */
  const expire = async (id: string, ...messages: string[]) => {
    await made.registry.run(id, ({ value }) => value.push(...messages))
    made.clock.advance(1_000)
    made.registry.sweep()
    await settle()
  }
  return { ...made, expire }
}

describe('an expired, evicted or closed session', () => {
  it('is removed from the registry at once, and counted apart while it is archived', async () => {
    const store = new FakeArchive('manual')
    const { registry, expire, events } = archived(store)
    await expire('a', 'hello')

    expect(registry.size).toBe(0)
    expect([...registry.keys()]).toEqual([])
    expect(registry.stats()).toMatchObject({ size: 0, archiving: 1, expired: 0 })
    expect(events.take()).toEqual(['created a'])
    store.last.succeed()
    await settle()
    expect(registry.stats()).toMatchObject({ archiving: 0, expired: 1, archiveFailures: 0 })
    expect(events.take()).toEqual(['expired a idle', 'ended a idle'])
  })

  it.each([
    ['a sweep', (registry: SessionRegistry<string[]>) => registry.sweep()],
    ['a read', (registry: SessionRegistry<string[]>) => registry.get('a')],
    ['a creation at the cap', (registry: SessionRegistry<string[]>) => thrownBy(() => registry.set('b', []))],
    ['closing', (registry: SessionRegistry<string[]>) => void registry.close()],
  ])('reaches the hook before the call returns: %s', (_, call) => {
    const store = new FakeArchive('manual')
    const { registry, clock } = archived(store, { maxSessions: 1 })
    registry.set('a', [])
    clock.advance(1_000)
    call(registry)

    expect(store.calls.map(({ id }) => id)).toEqual(['a'])
    expect(registry.delete('a')).toBe(true)
    expect(store.last.signal.aborted).toBe(true)
  })

  it('reaches the hook when the registry already is in its new state, after its `created`', () => {
    const seen: unknown[] = []
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: async ({ id }) =>
        void seen.push(`archive ${id}`, registry.has(id), registry.stats().archiving),
    })
    registry.on('created', ({ id }) => {
      seen.push(`created ${id}`)
      clock.advance(1_000)
      registry.sweep()
      seen.push('swept')
    })
    registry.set('a', [])

    expect(seen).toEqual(['created a', 'swept', 'archive a', false, 1])
  })

  it('counts as swept when its archive begins', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock, events } = archived(store)
    registry.set('a', [])
    clock.advance(1_000)

    expect(registry.sweep()).toBe(1)
    expect(events.sweeps).toMatchObject([{ expired: 1, remaining: 0 }])
  })

  it('can be read and changed through its session object while it is archived', async () => {
    const store = new FakeArchive('manual')
    const { expire } = archived(store)
    await expire('a', 'hello')
    const { session } = store.last
    session.value.push('a last word')
    store.last.succeed()
    await settle()

    expect(store.stored.get('a')).toEqual(['hello', 'a last word'])
    expect(session).toMatchObject({ id: 'a', held: false, ageMs: 1_000 })
  })

  it('is archived outside every turn, even if a turn caused it', async () => {
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: async () => {
        await registry.run('b', () => {})
      },
    })
    registry.set('a', [])
    clock.advance(1_000)
    const b = deferred()
    const turn = registry.run('b', async () => {
      registry.sweep()
      await settle()
      expect(registry.stats().turns).toBe(1)
      b.resolve()
    })
    await b.promise
    await turn
    await settle()

    expect(registry.stats()).toMatchObject({ archiving: 0, expired: 1, turns: 2 })
  })

  it('treats a hook that throws like one that rejects', async () => {
    const error = new Error('down')
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 1_000,
      archiveAttempts: 1,
      archive: () => {
        throw error
      },
    })
    const errors: unknown[] = []
    registry.on('error', (failure) => errors.push(failure))
    registry.set('a', ['hello'])
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(errors).toMatchObject([{ code: 'ERR_SESSION_ARCHIVE_FAILED', cause: error }])
    expect(registry.get('a')).toEqual(['hello'])
    expect(events.take()).toEqual(['created a'])
  })
})

describe('a synchronous call during an archive', () => {
  it.each([
    ['getOrCreate', (registry) => registry.getOrCreate('a')],
    ['set', (registry) => registry.set('a', [])],
  ] satisfies [string, (registry: ReturnType<typeof archived>['registry']) => unknown][])(
    '`%s` throws from the start of the archive to its end',
    async (_name, call) => {
      const store = new FakeArchive('manual')
      const { registry, clock } = clockedRegistry({
        timeoutMs: 1_000,
        archive: store.archive,
        create: () => [],
      })
      registry.set('a', ['old'])
      clock.advance(1_000)

      expect(thrownBy(() => call(registry))).toEqual(sessionError('ERR_SESSION_NEEDS_OPEN'))
      await settle()
      expect(thrownBy(() => call(registry))).toEqual(sessionError('ERR_SESSION_NEEDS_OPEN'))
      store.last.succeed()
      await settle()
      call(registry)
      expect(registry.get('a')).toEqual([])
    },
  )
})

describe('an archive hook that opens its own session', () => {
  it('is rejected, also from a timer that it started', async () => {
    const errors: unknown[] = []
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: async ({ id }) => {
        errors.push(await failureOf(() => registry.open(id)))
        errors.push(await failureOf(() => registry.run(id, () => {})))
        await new Promise<void>((resolve) => {
          // The host's own timer, which keeps the async context.
          setImmediate(async () => {
            errors.push(await failureOf(() => registry.open(id)))
            resolve()
          })
        })
      },
    })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    await vi.waitUntil(() => registry.stats().archiving === 0)

    const reentrant = sessionError('ERR_SESSION_REENTRANT')
    expect(errors).toEqual([reentrant, reentrant, reentrant])
    expect(registry.stats().archiving).toBe(0)
  })

  it('is accepted from work that outlives the hook, once the archive has settled', async () => {
    const later = deferred<string[]>()
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: async ({ id }) => {
        setTimeout(() => registry.open(id).then(later.resolve), 0)
      },
    })
    registry.set('a', ['old'])
    clock.advance(1_000)
    registry.sweep()

    expect(await later.promise).toEqual([])
  })

  it('may open other sessions', async () => {
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: async ({ id }) => {
        if (id === 'a') await registry.open('b')
      },
    })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect([...registry.keys()]).toEqual(['b'])
  })
})

describe('a session deleted while it is archived', () => {
  it('ends as deleted before any effect of a listener', async () => {
    const store = new FakeArchive('manual')
    const { registry, expire, events } = archived(store)
    await expire('a', 'hello')
    store.last.signal.addEventListener('abort', () => registry.replace('a', ['new']))

    expect(registry.delete('a')).toBe(true)
    expect(registry.delete('b')).toBe(false)
    expect(events.take()).toEqual(['created a', 'ended a deleted', 'created a'])
    expect(store.last.signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
    store.last.succeed()
    await settle()
    expect(events.take()).toEqual([])
    expect(registry.stats()).toMatchObject({ size: 1, archiving: 0, deleted: 1, archiveFailures: 0 })
  })

  it('calls that wait for it open the id anew', async () => {
    const store = new FakeArchive('manual')
    const { registry, expire } = archived(store)
    await expire('a', 'hello')
    const opened = registry.open('a')
    registry.delete('a')
    store.last.fail(new Error('aborted'))

    expect(await opened).toEqual([])
  })

  it('is never archived if its first attempt has not begun', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = archived(store, { archiveConcurrency: 1 })
    for (const id of ['a', 'b']) registry.set(id, [])
    clock.advance(1_000)
    registry.sweep()
    expect(registry.delete('b')).toBe(true)
    store.last.succeed()
    await settle()

    expect(store.calls.map(({ id }) => id)).toEqual(['a'])
  })
})

it('archiving: yields to the event loop while a store responds immediately', async () => {
  const { registry, clock } = clockedRegistry({
    timeoutMs: 1_000,
    // The clock moves by one millisecond per archive only, so four of them use up a time slice.
    archive: async () => clock.advance(1),
  })
  for (let index = 0; index < 40; index += 1) registry.set(`id-${index}`, [])
  clock.advance(1_000)
  registry.sweep()
  let loopTurns = 0
  while (registry.stats().archiving > 0) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    loopTurns += 1
  }

  expect(loopTurns).toBeGreaterThanOrEqual(40 / 4 / 2)
})
