import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { deferred } from '../support/deferred.ts'
import { FakeArchive } from '../support/fake-archive.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'

const never = new Promise<void>(() => {})

function archived(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new FakeArchive('manual')
  const made = clockedRegistry({
    timeoutMs: 1_000,
    intervalMs: 1_000_000,
    archive: store.archive,
    ...options,
  })
  /** Expires a session, so that its archive begins. */
  const archive = (id: string) => {
    made.registry.set(id, [id])
    made.clock.advance(1_000)
    made.registry.get(id)
  }
  return { store, archive, ...made }
}

describe('set', () => {
  it('returns the registry, so that calls can be chained', () => {
    const { registry } = clockedRegistry()

    expect(registry.set('a', []).set('b', [])).toBe(registry)
  })

  it('is allowed with `load`, and the new value is found', () => {
    const { registry } = clockedRegistry({ load: async () => ['loaded'] })
    registry.set('a', ['set'])

    expect(registry.get('a')).toEqual(['set'])
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(sessionError('ERR_SESSION_NEEDS_OPEN'))
  })

  it('live id: evicts nothing, if the session is held or the registry at its cap', () => {
    const { registry, events } = clockedRegistry({ maxSessions: 1, whenFull: 'reject' })
    registry.set('a', ['old'])
    registry.hold('a')
    registry.set('a', ['new'])

    expect(registry.peek('a')).toMatchObject({ value: ['new'], held: true })
    expect(events.take()).toEqual(['created a'])
  })

  it('live id: works while the registry is closing, and creates nothing', async () => {
    const { registry } = clockedRegistry()
    const finish = deferred()
    const run = registry.run('a', async (session) => {
      await finish.promise
      registry.set('a', ['last words'])
      return session.value
    })
    const closing = registry.close()
    expect(thrownBy(() => registry.set('b', []))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    finish.resolve()

    expect(await run).toEqual(['last words'])
    await closing
  })

  it('expired id: a listener of `ended` may set it first, and then the value is assigned', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    registry.set('a', ['old'])
    registry.once('ended', () => registry.set('a', ['by the listener']))
    clock.advance(1_000)
    registry.set('a', ['new'])

    expect(registry.get('a')).toEqual(['new'])
    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('id being archived: throws', () => {
    const { registry, archive } = archived()
    archive('a')

    expect(thrownBy(() => registry.set('a', []))).toEqual(sessionError('ERR_SESSION_NEEDS_OPEN'))
  })

  it('id being loaded: the waiting calls get the value, and the load is aborted', async () => {
    const load = vi.fn((_id: string, _context: { readonly signal: AbortSignal }) => never as Promise<never>)
    const { registry } = clockedRegistry({ load })
    const opened = registry.open('a')
    registry.set('a', ['set'])

    expect(await opened).toEqual(['set'])
    expect(load.mock.calls[0]?.[1].signal.aborted).toBe(true)
  })
})

describe('replace', () => {
  it('inside a turn of its id: aborts that turn’s signal, and the next turn gets the new session', async () => {
    const { registry, events } = clockedRegistry()
    const run = observe(
      registry.run('a', (_session, signal) => {
        registry.replace('a', ['new'])
        return [signal.aborted, signal.reason?.code]
      }),
    )
    const next = registry.run('a', (session) => session.value)
    await run.settled

    expect(run.value).toEqual([true, 'ERR_SESSION_ENDED'])
    expect(await next).toEqual(['new'])
    expect(events.take()).toEqual(['created a', 'ended a replaced', 'created a'])
  })

  it('at the cap: takes the place of the session that it replaces, and evicts nothing', () => {
    const { registry, events } = clockedRegistry({ maxSessions: 2, whenFull: 'reject' })
    registry.set('a', ['a'])
    registry.set('b', ['b'])
    registry.replace('a', ['new'])

    expect(events.take()).toEqual(['created a', 'created b', 'ended a replaced', 'created a'])
    expect(thrownBy(() => registry.replace('c', []))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    expect([...registry.keys()].toSorted()).toEqual(['a', 'b'])
  })

  it('id being archived: the old session ends unarchived, and the rest of its hook has no effect', async () => {
    const { registry, events, archive, store } = archived()
    archive('a')
    registry.replace('a', ['new'])
    expect(events.take()).toEqual(['created a', 'ended a replaced', 'created a'])
    expect(store.last.signal.aborted).toBe(true)
    store.last.succeed()
    await settle()

    expect(registry.get('a')).toEqual(['new'])
    expect(registry.stats()).toMatchObject({ size: 1, archiving: 0, created: 2, expired: 0 })
    expect(events.take()).toEqual([])
  })

  it('id being archived, at the cap: takes its place', () => {
    const { registry, events, archive } = archived({ maxSessions: 1 })
    archive('a')
    events.take()
    registry.replace('a', ['new'])

    expect(events.take()).toEqual(['ended a replaced', 'created a'])
  })

  it('expired id, still to be archived: ends as replaced, unarchived', () => {
    const { registry, events, clock, store } = archived()
    registry.set('a', [])
    clock.advance(1_000)
    registry.replace('a', ['new'])

    expect(events.take()).toEqual(['created a', 'ended a replaced', 'created a'])
    expect(store.calls).toEqual([])
    expect(registry.stats()).toMatchObject({ expired: 0, archiving: 0 })
  })

  it('expired id, without an archive: ends as expired', () => {
    const { registry, events, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    registry.set('a', [])
    clock.advance(1_000)
    registry.replace('a', ['new'])

    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('closed registry: throws, and so it does while closing', async () => {
    const { registry, events } = clockedRegistry()
    registry.set('a', [])
    registry.hold('a')
    const closing = registry.close({ deadlineMs: 0 })
    const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')
    expect(thrownBy(() => registry.replace('a', []))).toEqual(closed)
    events.take()
    expect(await failureOf(() => registry.replace('b', []))).toEqual(closed)
    expect(events.take()).toEqual([])
    void closing
  })

  it('checks its arguments before it ends anything', () => {
    const { registry, events } = clockedRegistry()
    registry.set('a', [])
    events.take()

    expect(thrownBy(() => registry.replace('', []))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect(thrownBy(() => registry.replace('a', [], { timeoutMs: 0 }))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
    expect(events.take()).toEqual([])
  })
})

describe('delete and clear of an expired session', () => {
  it('with `archive`: end it as deleted, count it, and archive nothing', () => {
    for (const member of ['delete', 'clear'] as const) {
      const { registry, events, clock, store } = archived()
      registry.set('a', [])
      clock.advance(1_000)

      expect(registry[member]('a')).toBe(member === 'delete' ? true : 1)
      expect(events.take()).toEqual(['created a', 'ended a deleted'])
      expect(registry.stats()).toMatchObject({ deleted: 1, expired: 0, archiving: 0 })
      expect(store.calls).toEqual([])
    }
  })

  it('without `archive`: end it as expired, and do not count it', () => {
    for (const member of ['delete', 'clear'] as const) {
      const { registry, events, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 1_000_000 })
      registry.set('a', [])
      clock.advance(1_000)

      expect(registry[member]('a')).toBe(member === 'delete' ? false : 0)
      expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle'])
      expect(registry.stats()).toMatchObject({ deleted: 0, expired: 1 })
    }
  })
})
