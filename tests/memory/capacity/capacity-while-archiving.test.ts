import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const full = sessionError('ERR_SESSION_REGISTRY_FULL')

function capped(maxSessions: number, options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new FakeArchive('manual')
  return {
    store,
    ...clockedRegistry({
      maxSessions,
      archive: store.archive,
      timeoutMs: 1_000,
      maxTurnMs: 60_000,
      ...options,
    }),
  }
}

describe('a synchronous creation at the cap', () => {
  it('starts one archive and is refused until that has finished', async () => {
    const { registry, store, clock, events } = capped(2)
    registry.set('a', [])
    clock.advance(100)
    registry.set('b', [])

    for (const call of [() => registry.set('c', []), () => registry.getOrCreate('c')]) {
      expect(thrownBy(call)).toEqual(full)
    }
    await settle()
    expect(store.calls).toMatchObject([{ id: 'a', reason: 'capacity' }])
    expect(registry.stats()).toMatchObject({ size: 1, archiving: 1, evicted: 0 })
    store.last.succeed()
    await settle()
    registry.set('c', [])
    expect(events.take()).toEqual(['created a', 'created b', 'ended a capacity', 'created c'])
    expect(registry.stats().evicted).toBe(1)
  })

  it('archives an expired session before a live one', async () => {
    const { registry, store, clock } = capped(2)
    registry.set('a', [], { timeoutMs: 10_000 })
    registry.set('b', [])
    clock.advance(1_000)
    expect(thrownBy(() => registry.set('c', []))).toEqual(full)
    await settle()

    expect(store.calls).toMatchObject([{ id: 'b', reason: 'idle' }])
  })

  it('does not take capacity reserved for waiting calls', async () => {
    const { registry, store } = capped(1)
    registry.set('a', [])
    const opened = registry.open('b')
    await settle()
    registry.once('ended', () => expect(thrownBy(() => registry.set('c', []))).toEqual(full))
    store.last.succeed()
    await opened

    expect([...registry.keys()]).toEqual(['b'])
    expect(registry.stats().listenerErrors).toBe(0)
  })
})

describe('`open` and `run` at the cap', () => {
  it('wait for capacity, first come first served', async () => {
    const { registry, store } = capped(1)
    registry.set('a', [])
    const order: string[] = []
    const opens = ['b', 'c', 'd'].map((id) => registry.open(id).then(() => order.push(id)))
    for (const id of ['a', 'b', 'c']) {
      await settle()
      expect(store.last.id).toBe(id)
      expect(registry.stats().size + registry.stats().archiving).toBe(1)
      store.last.succeed()
    }
    await Promise.all(opens)

    expect(order).toEqual(['b', 'c', 'd'])
  })

  it('archive as many sessions as there are waiting calls, and no more', async () => {
    const { registry, store } = capped(4)
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [])
    for (const id of ['e', 'f']) observe(registry.open(id))
    await settle()

    expect(store.calls.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('are refused if all sessions are held', async () => {
    const { registry, store } = capped(2)
    const turns = [beginTurn(registry, 'a'), beginTurn(registry, 'b')]

    expect(await failureOf(() => registry.open('c'))).toEqual(full)
    expect(await failureOf(() => registry.run('c', () => {}))).toEqual(full)
    expect(thrownBy(() => registry.getOrCreate('c'))).toEqual(full)
    expect(store.calls).toEqual([])
    turns[0]?.end.resolve('done')
    await turns[0]?.run.settled
    const opened = registry.open('c')
    await settle()
    store.last.succeed()
    expect(await opened).toEqual([])
  })

  it('are refused if all sessions are held, without `archive` as well', async () => {
    const create = vi.fn(() => [])
    const { registry } = clockedRegistry({ maxSessions: 1, create })
    beginTurn(registry, 'a')

    expect(await failureOf(() => registry.open('b'))).toEqual(full)
    expect(create).toHaveBeenCalledTimes(1)
  })

  it('are refused with `whenFull: reject`, unless a session has expired', async () => {
    const { registry, store, clock } = capped(1, { whenFull: 'reject' })
    registry.set('a', [])
    expect(await failureOf(() => registry.open('b'))).toEqual(full)
    clock.advance(1_000)
    const opened = registry.open('b')
    await settle()
    store.last.succeed()

    expect(await opened).toEqual([])
  })

  it('are refused if the capacity they waited for does not become free', async () => {
    const { registry, store } = capped(2, { archiveAttempts: 1 })
    registry.on('error', () => beginTurn(registry, 'a'))
    registry.set('a', [])
    beginTurn(registry, 'b')
    const waiting = observe(registry.open('c'))
    const last = observe(registry.open('d'))
    await settle()
    expect([waiting.state, last.state]).toEqual(['pending', 'pending'])
    store.last.fail(new Error('down'))
    await Promise.all([waiting.settled, last.settled])

    expect([waiting.error, last.error]).toEqual([full, full])
    expect([...registry.keys()].toSorted()).toEqual(['a', 'b'])
  })

  it('are refused if the last session that could be evicted for them is restored', async () => {
    const { registry, store } = capped(1, { archiveAttempts: 1 })
    store.mode = 'failing'
    registry.on('error', () => {})
    registry.set('a', ['kept'])
    const waiting = observe(registry.open('b'))
    await settle()

    expect(waiting.error).toEqual(full)
    expect(store.calls.map(({ id }) => id)).toEqual(['a'])
    expect(registry.get('a')).toEqual(['kept'])
    store.mode = 'instant'
    expect(await registry.open('b')).toEqual([])
  })

  it('cause the eviction of another session if the first is restored', async () => {
    const { registry, store } = capped(2, { archiveAttempts: 1 })
    registry.on('error', () => {})
    registry.set('a', [])
    registry.set('b', [])
    const opened = registry.open('c')
    await settle()
    store.last.fail(new Error('down'))
    await settle()
    expect(store.calls.map(({ id }) => id)).toEqual(['a', 'b'])
    store.last.succeed()
    await opened

    expect([...registry.keys()].toSorted()).toEqual(['a', 'c'])
  })

  it('do not count loads in progress, and wait for capacity afterwards', async () => {
    const loaded = deferred<string[]>()
    const { registry, store } = capped(1, { load: () => loaded.promise })
    registry.set('a', [])
    const opens = ['b', 'c'].map((id) => observe(registry.open(id)))
    await settle()
    expect(store.calls).toEqual([])
    expect(registry.stats()).toMatchObject({ size: 1, archiving: 0 })
    loaded.resolve(['loaded'])
    await settle()
    expect(store.calls.map(({ id }) => id)).toEqual(['a'])
    store.mode = 'instant'
    store.last.succeed()
    await settle()

    expect(opens.map(({ value }) => value)).toEqual([['loaded'], ['loaded']])
    expect(registry.size).toBe(1)
  })

  it('leave the queue when their signal aborts', async () => {
    const { registry, store } = capped(1)
    registry.set('a', [])
    const controller = new AbortController()
    const gone = observe(registry.run('b', () => {}, { signal: controller.signal }))
    const opened = registry.open('c')
    controller.abort('gone')
    await settle()
    store.last.succeed()
    await opened

    expect(gone.error).toBe('gone')
    expect([...registry.keys()]).toEqual(['c'])
  })

  it('make room before their factory is called, also for one that throws', async () => {
    const error = new Error('no value')
    const create = vi.fn(() => {
      throw error
    })
    const { registry, store } = capped(1, { create })
    registry.set('a', [])

    const opened = observe(registry.open('b'))
    await settle()
    expect(create).not.toHaveBeenCalled()
    store.last.succeed()
    await settle()

    expect(opened.error).toBe(error)
    expect(store.calls).toHaveLength(1)
    expect(registry.size).toBe(0)
    registry.set('c', [])
  })

  it('keep the process alive while they wait', async () => {
    const clock = new TrackingClock()
    const { registry, store } = capped(1, { clock, timeoutMs: Number.POSITIVE_INFINITY })
    registry.set('a', [])
    const opened = registry.open('b')
    await settle()
    expect(clock.refed).toBe(1)
    store.last.succeed()
    await opened

    expect(clock.refed).toBe(0)
    expect(clock.waiting.size).toBe(0)
  })

  it('continue when another session is deleted', async () => {
    const { registry } = capped(2)
    registry.set('a', [])
    registry.set('b', [])
    const opened = registry.open('c')
    registry.delete('b')

    expect(await opened).toEqual([])
  })

  it('serve thousands without a deep stack', async () => {
    const { registry, store } = capped(1)
    store.mode = 'instant'
    registry.set('first', [])
    const opens = Array.from({ length: 5_000 }, (_, index) => registry.open(`id-${index}`))
    await Promise.all(opens)

    expect(registry.size).toBe(1)
  })
})
