import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

/**
 * Without a listener of `created` and without a logger a creation takes the fast path, unless a blocker is
 * set.
 */
function plainRegistry(options: SessionRegistryOptions<string> = {}) {
  const clock = new ManualClock()
  return { clock, registry: new SessionRegistry<string>({ clock, create: (id) => `of ${id}`, ...options }) }
}

function historyRegistry(options: SessionRegistryOptions<string[]>) {
  const clock = new ManualClock()
  const registry = new SessionRegistry<string[]>({ clock, timeoutMs: 1_000, create: () => [], ...options })
  return { clock, registry }
}

describe('creation on the fast path', () => {
  it('is counted, and arms the sweep timer', () => {
    const { registry, clock } = plainRegistry()

    expect(['a', 'b', 'a'].map((id) => registry.getOrCreate(id))).toEqual(['of a', 'of b', 'of a'])
    expect(registry.stats()).toMatchObject({ size: 2, created: 2, hits: 1, misses: 2 })
    expect(clock.pending).toBe(1)
  })

  it('emits `created` to a listener added by the factory', () => {
    const { registry } = plainRegistry()
    registry.getOrCreate('before')
    const recorded: string[] = []
    registry.getOrCreate('a', () => {
      registry.on('created', ({ id }) => recorded.push(id))
      return ''
    })

    expect(recorded).toEqual(['a'])
  })

  it('leaves nothing behind if the factory throws', () => {
    const { registry } = plainRegistry()
    registry.getOrCreate('before')
    const broken = new Error('the factory is broken')
    const create = () => {
      throw broken
    }

    expect(thrownBy(() => registry.getOrCreate('a', create))).toBe(broken)
    expect(registry.stats()).toMatchObject({ size: 1, created: 1, misses: 2 })
    expect(registry.getOrCreate('a')).toBe('of a')
  })

  it('returns the session that its factory created under the same id', () => {
    const { registry } = plainRegistry()
    registry.getOrCreate('before')
    const value = registry.getOrCreate('a', () => {
      registry.set('a', 'the first')
      return 'the second'
    })

    expect(value).toBe('the first')
    expect(registry.stats()).toMatchObject({ size: 2, created: 2 })
  })

  it('arms the timer again if the factory ended all other sessions', () => {
    const { registry, clock } = plainRegistry()
    registry.getOrCreate('before')
    registry.getOrCreate('a', () => {
      registry.clear()
      expect(clock.pending).toBe(0)
      return ''
    })

    expect([...registry.keys()]).toEqual(['a'])
    expect(clock.pending).toBe(1)
  })

  it('is refused if the factory closes the registry', async () => {
    const { registry } = plainRegistry()
    registry.getOrCreate('before')
    let closing: Promise<unknown> | undefined
    const create = () => {
      closing = registry.close()
      return ''
    }

    expect(thrownBy(() => registry.getOrCreate('a', create))).toEqual(
      sessionError('ERR_SESSION_REGISTRY_CLOSED'),
    )
    expect(registry.size).toBe(0)
    await expect(closing).resolves.toMatchObject({ ended: 1 })
  })

  it('expires a session exactly at its deadline, whatever its timeout', () => {
    const { registry, clock } = plainRegistry({ intervalMs: 2_000_000 })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    registry.getOrCreate('short', undefined, { timeoutMs: 5 })
    clock.advance(4)
    registry.getOrCreate('d')
    expect(registry.stats()).toMatchObject({ size: 5, expired: 0 })
    clock.advance(1)
    registry.getOrCreate('e')
    expect(registry.stats()).toMatchObject({ size: 5, expired: 1 })

    const session = registry.peek('a')
    if (session !== undefined) session.timeoutMs = 7
    clock.advance(1)
    registry.getOrCreate('f')
    expect(registry.stats()).toMatchObject({ size: 6, expired: 1 })
    clock.advance(1)
    registry.getOrCreate('g')
    expect(registry.stats()).toMatchObject({ size: 6, expired: 2 })
    expect(registry.has('a')).toBe(false)
  })

  it('expires a session past `maxAgeMs`', () => {
    const { registry, clock } = plainRegistry({ maxAgeMs: 5, intervalMs: 2_000_000 })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    clock.advance(5)
    registry.getOrCreate('d')

    expect(registry.stats()).toMatchObject({ size: 1, expired: 3 })
  })

  it('expires a session that reaches `maxAgeMs` between two close creations', () => {
    const { registry, clock } = plainRegistry({ maxAgeMs: 1_000 })
    registry.getOrCreate('a')
    clock.advance(995)
    for (const id of ['b', 'c']) registry.getOrCreate(id)
    clock.advance(5)
    registry.getOrCreate('d')

    expect(registry.stats()).toMatchObject({ size: 3, expired: 1 })
  })

  it('expires a session past `maxAgeMs` once its hold is released', () => {
    const { registry, clock } = plainRegistry({ maxAgeMs: 1_000 })
    registry.getOrCreate('a')
    const hold = registry.hold('a')
    clock.advance(1_000)
    for (const id of ['b', 'c']) registry.getOrCreate(id)
    expect(registry.stats()).toMatchObject({ size: 3, expired: 0 })
    hold?.release()
    registry.getOrCreate('d')

    expect(registry.stats()).toMatchObject({ size: 3, expired: 1 })
  })

  it('evicts the least recently active at the cap, and nothing below it', () => {
    const { registry, clock } = plainRegistry({ maxSessions: 3 })
    for (const id of ['a', 'b', 'c', 'd']) {
      registry.getOrCreate(id)
      clock.advance(60_000)
    }

    expect([...registry.keys()]).toEqual(['b', 'c', 'd'])
    expect(registry.stats()).toMatchObject({ evicted: 1 })
  })

  it('respects a cap larger than the capacity of one `Map`', () => {
    const maxSessions = 2 ** 17 + 1_000
    const { registry } = plainRegistry({ maxSessions })
    for (let count = 0; count < maxSessions + 10; count += 1) registry.getOrCreate(`visitor ${count}`)

    expect(registry.stats()).toMatchObject({ size: maxSessions, evicted: 10 })
  })

  it('is refused at the cap before its factory is called', () => {
    const { registry } = plainRegistry({ maxSessions: 2, whenFull: 'reject' })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    const create = () => expect.unreachable()

    expect(thrownBy(() => registry.getOrCreate('c', create))).toEqual(
      sessionError('ERR_SESSION_REGISTRY_FULL'),
    )
  })

  it('evicts for itself if its factory took the last place', () => {
    const { registry, clock } = plainRegistry({ maxSessions: 3 })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    clock.advance(60_000)
    registry.getOrCreate('c', () => registry.getOrCreate('d'))

    expect([...registry.keys()]).toEqual(['b', 'd', 'c'])
  })

  it('is refused for an id being archived, until the archive has finished', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = historyRegistry({ archive: store.archive })
    for (const id of ['before', 'a', 'b']) registry.getOrCreate(id)
    clock.advance(1_000)
    registry.sweep()
    registry.getOrCreate('c')
    const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')
    for (const id of ['a', 'b']) expect(thrownBy(() => registry.getOrCreate(id))).toEqual(needsOpen)
    for (const call of store.calls.slice(0, 2)) call.succeed()
    await settle()

    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(needsOpen)
    expect(registry.getOrCreate('a')).toEqual([])
    store.last.succeed()
    await settle()
    expect(registry.getOrCreate('b')).toEqual([])
    expect(registry.stats()).toMatchObject({ size: 3, expired: 3, archiving: 0 })
  })

  it('is refused if its factory started the archive of the id', () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = historyRegistry({ archive: store.archive })
    registry.getOrCreate('before')
    const create = () => {
      registry.set('a', [])
      clock.advance(1_000)
      registry.sweep()
      return []
    }

    expect(thrownBy(() => registry.getOrCreate('a', create))).toEqual(sessionError('ERR_SESSION_NEEDS_OPEN'))
  })

  it('does not take capacity that was just freed for a waiting call', async () => {
    const store = new FakeArchive('manual')
    const { registry } = historyRegistry({ archive: store.archive, maxSessions: 2 })
    for (const id of ['in use', 'a']) registry.getOrCreate(id)
    registry.hold('in use')
    const opened = registry.open('b')
    await settle()
    store.last.succeed()
    // At every step on the way, so also between the end of the one and the beginning of the other.
    while (!registry.has('b')) {
      expect(thrownBy(() => registry.getOrCreate('c'))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
      await undefined
    }
    await opened

    expect([...registry.keys()]).toEqual(['b', 'in use'])
  })

  it('is held by calls that wait for the id since its session was deleted', async () => {
    const { registry } = plainRegistry()
    const first = deferred()
    const seen: string[] = []
    const cut = registry.run('a', () => first.promise)
    const waiting = registry.run('a', ({ value }) => void seen.push(value))
    registry.delete('a')
    registry.getOrCreate('a', () => 'the new one')

    expect(registry.stats()).toMatchObject({ size: 1, held: 1 })
    first.resolve()
    await Promise.all([cut, waiting])
    expect(seen).toEqual(['the new one'])
  })

  it('expires on time after the clock was set back', () => {
    let now = 1_000_000
    const host = new ManualClock()
    const clock = {
      now: () => now,
      setTimeout: (fn: () => void, ms: number) => host.setTimeout(fn, ms),
      clearTimeout: (handle: unknown) => host.clearTimeout(handle),
    }
    const { registry } = plainRegistry({ clock, timeoutMs: 1_000 })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    now = 0
    registry.getOrCreate('c')
    now = 999
    expect(registry.has('c')).toBe(true)
    now = 1_000
    expect(registry.has('c')).toBe(false)
  })
})
