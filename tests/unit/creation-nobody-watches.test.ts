import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

/** Nobody listens, nothing bounds it and no hook is there: so a creation takes the short way. */
function plainRegistry(options: SessionRegistryOptions<string> = {}) {
  const clock = new ManualClock()
  return { clock, registry: new SessionRegistry<string>({ clock, create: (id) => `of ${id}`, ...options }) }
}

describe('a creation that nobody watches', () => {
  it('counts, and sets the timer of the sweep', () => {
    const { registry, clock } = plainRegistry()

    expect(['a', 'b', 'a'].map((id) => registry.getOrCreate(id))).toEqual(['of a', 'of b', 'of a'])
    expect(registry.stats()).toMatchObject({ size: 2, created: 2, hits: 1, misses: 2 })
    expect(clock.pending).toBe(1)
  })

  it('is told to whom the factory makes a listener', () => {
    const { registry } = plainRegistry()
    registry.getOrCreate('before')
    const told: string[] = []
    registry.getOrCreate('a', () => {
      registry.on('created', ({ id }) => told.push(id))
      return ''
    })

    expect(told).toEqual(['a'])
  })

  it('leaves nothing behind where the factory throws', () => {
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

  it('gives the session that its factory has made of the same id', () => {
    const { registry } = plainRegistry()
    registry.getOrCreate('before')
    const value = registry.getOrCreate('a', () => {
      registry.set('a', 'the first')
      return 'the second'
    })

    expect(value).toBe('the first')
    expect(registry.stats()).toMatchObject({ size: 2, created: 2 })
  })

  it('sets the timer again where the factory has ended all others', () => {
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

  it('is refused where the factory closes the registry', async () => {
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

  it('lets go who is over at that very moment, by whatever timeout', () => {
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

  it('lets go who is past the absolute timeout', () => {
    const { registry, clock } = plainRegistry({ maxAgeMs: 5, intervalMs: 2_000_000 })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    clock.advance(5)
    registry.getOrCreate('d')

    expect(registry.stats()).toMatchObject({ size: 1, expired: 3 })
  })

  it('is taken hold of by those who wait for the id since its session was deleted', async () => {
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

  it('ends in time on a clock that is set back', () => {
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
