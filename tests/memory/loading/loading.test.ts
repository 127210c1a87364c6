import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('a load', () => {
  it('creates a session anew: `created`, age, idle time', async () => {
    const { calls, load } = new ManualLoad()
    const { registry, clock, events } = clockedRegistry({ load, timeoutMs: 1_000, maxAgeMs: 5_000 })
    const opened = registry.open('a')
    clock.advance(20_000)
    calls[0]?.resolve(['loaded'])
    await opened

    expect(registry.peek('a')).toMatchObject({ ageMs: 0, idleMs: 0 })
    expect(events.take()).toEqual(['created a'])
    expect(registry.stats()).toMatchObject({ created: 1, loaded: 1 })
    clock.advance(999)
    expect(registry.has('a')).toBe(true)
    clock.advance(1)
    expect(registry.has('a')).toBe(false)
  })

  it('that fails or throws: rejects with that very error', async () => {
    const error = new Error('down')
    const { registry } = clockedRegistry({
      load: () => {
        throw error
      },
    })

    expect(await failureOf(() => registry.open('a'))).toBe(error)
    expect(await failureOf(() => registry.run('a', () => {}))).toBe(error)
    expect(registry.size).toBe(0)
  })

  it('may return a falsy value, but not undefined', async () => {
    const create = vi.fn(() => [])
    const { registry } = clockedRegistry({ load: async () => null as unknown as string[], create })

    expect(await registry.open('a')).toBeNull()
    expect(create).not.toHaveBeenCalled()
  })

  it('is aborted once no call waits for it, and its result is dropped', async () => {
    const { calls, load } = new ManualLoad()
    const { registry, events } = clockedRegistry({ load })
    const controllers = [new AbortController(), new AbortController()]
    const runs = controllers.map(({ signal }) => observe(registry.run('a', () => {}, { signal })))
    controllers[0]?.abort('first left')
    expect(calls[0]?.signal.aborted).toBe(false)
    controllers[1]?.abort('second left')
    expect(calls[0]?.signal.aborted).toBe(true)
    calls[0]?.resolve(['too late'])
    await settle()

    expect(runs.map(({ error }) => error)).toEqual(['first left', 'second left'])
    expect(registry.size).toBe(0)
    expect(events.take()).toEqual([])
    const again = registry.open('a')
    calls[1]?.resolve(['again'])
    expect(await again).toEqual(['again'])
  })

  it('is not aborted while an `open` waits', () => {
    const { calls, load } = new ManualLoad()
    const { registry } = clockedRegistry({ load })
    const controller = new AbortController()
    observe(registry.open('a'))
    observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort()

    expect(calls[0]?.signal.aborted).toBe(false)
  })

  it('is superseded by a session set meanwhile, held by the calls that waited', async () => {
    const { calls, load } = new ManualLoad()
    const { registry, clock, events } = clockedRegistry({ load, timeoutMs: 1_000, maxTurnMs: 60_000 })
    const order: string[] = []
    const opened = registry.open('a')
    const first = registry.run('a', (session) => order.push(`first ${session.value}`))
    registry.set('a', ['set'])
    const second = registry.run('a', (session) => order.push(`second ${session.value}`))
    clock.advance(1_000)
    await Promise.all([first, second])

    expect(await opened).toEqual(['set'])
    expect(order).toEqual(['first set', 'second set'])
    expect(calls[0]?.signal.aborted).toBe(true)
    calls[0]?.resolve(['stale'])
    await settle()
    expect(registry.get('a')).toEqual(['set'])
    expect(events.take()).toEqual(['created a'])
  })

  it('that fails after the session was set: rejects no call', async () => {
    const { calls, load } = new ManualLoad()
    const { registry } = clockedRegistry({ load })
    const opened = registry.open('a')
    registry.set('a', ['set'])
    calls[0]?.reject(new Error('down'))

    expect(await opened).toEqual(['set'])
  })

  it('of one id waits for no other id', async () => {
    const { calls, load } = new ManualLoad()
    const { registry } = clockedRegistry({ load })
    const a = observe(registry.open('a'))
    const b = registry.open('b')
    calls[1]?.resolve(['b'])

    expect(await b).toEqual(['b'])
    expect(a.state).toBe('pending')
  })

  it.each(['open', 'run'] as const)('that calls `%s` of its own id: is refused', async (how) => {
    const { registry } = clockedRegistry({
      load: async (id): Promise<string[]> => {
        await settle()
        return how === 'open' ? registry.open(id) : registry.run(id, ({ value }) => value)
      },
    })

    expect(await failureOf(() => registry.open('a'))).toEqual(sessionError('ERR_SESSION_REENTRANT'))
    expect(registry.size).toBe(0)
  })

  it('may open other sessions', async () => {
    const { registry } = clockedRegistry({
      load: async (id): Promise<string[] | undefined> => (id === 'a' ? registry.open('b') : undefined),
    })

    expect(await registry.open('a')).toEqual([])
    expect([...registry.keys()].toSorted()).toEqual(['a', 'b'])
  })

  it('may start work that opens the session later', async () => {
    const later = deferred()
    let leftBehind: Promise<unknown> | undefined
    const { registry } = clockedRegistry({
      load: async (id) => {
        leftBehind ??= later.promise.then(() => registry.open(id))
        return ['loaded']
      },
    })
    await registry.open('a')
    registry.delete('a')
    later.resolve()

    expect(await leftBehind).toEqual(['loaded'])
  })
})

describe('open', () => {
  it('counts hits and misses', async () => {
    const { registry } = clockedRegistry()
    await registry.open('a')
    await registry.open('a')

    expect(registry.stats()).toMatchObject({ hits: 1, misses: 1 })
  })

  it('is activity', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', [])
    clock.advance(999)
    await registry.open('a')
    clock.advance(999)

    expect(registry.has('a')).toBe(true)
  })

  it('rejects with the error of the factory, after it has made room', async () => {
    const error = new Error('no value')
    const { registry } = clockedRegistry({
      maxSessions: 1,
      create: (id) => {
        if (id === 'b') throw error
        return []
      },
    })
    await registry.open('a')

    expect(await failureOf(() => registry.open('b'))).toBe(error)
    expect([...registry.keys()]).toEqual([])
    expect(await registry.open('c')).toEqual([])
  })

  it('returns the session that the factory itself created', async () => {
    const { registry, events } = clockedRegistry({
      create: (id) => {
        registry.set(id, ['from within'])
        return ['from the factory']
      },
    })

    expect(await registry.open('a')).toEqual(['from within'])
    expect(events.take()).toEqual(['created a'])
  })

  it('is refused when the factory closes the registry', async () => {
    const { registry } = clockedRegistry({
      create: () => {
        registry.close()
        return []
      },
    })

    expect(await failureOf(() => registry.open('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })

  it('may be called by a listener of `ended`, for the same id', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', ['old'])
    const reopened: Promise<string[]>[] = []
    registry.once('ended', () => reopened.push(registry.open('a')))
    clock.advance(1_000)
    registry.sweep()

    expect(await reopened[0]).toEqual([])
    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })
})
