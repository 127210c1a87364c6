import { describe, expect, it } from 'vitest'
import { type ClockedRegistry, clockedRegistry } from '../../support/clocked-registry.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

describe('an expired session before the sweep', () => {
  const expiredRegistry = () => {
    const made = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
    made.registry.set('a', ['old'])
    made.clock.advance(1_000)
    made.events.take()
    return made
  }

  it('is absent for reads without activity, counted by size, and not ended by them', () => {
    const { registry, events } = expiredRegistry()

    expect(registry.has('a')).toBe(false)
    expect(registry.peek('a')).toBeUndefined()
    expect([...registry]).toEqual([])
    expect([...registry.keys(), ...registry.values(), ...registry.sessions()]).toEqual([])
    expect(registry.size).toBe(1)
    expect(events.lines).toEqual([])
  })

  const uses: [string, (made: ClockedRegistry) => unknown, unknown][] = [
    ['get', ({ registry }) => registry.get('a'), undefined],
    ['touch', ({ registry }) => registry.touch('a'), false],
    ['hold', ({ registry }) => registry.hold('a'), undefined],
    ['delete', ({ registry }) => registry.delete('a'), false],
    ['clear', ({ registry }) => registry.clear(), 0],
    ['sweep', ({ registry }) => registry.sweep(), 1],
  ]

  it.each(uses)('is ended by %s, with its expiry reason', (_name, use, result) => {
    const made = expiredRegistry()

    expect(use(made)).toEqual(result)
    expect(made.registry.size).toBe(0)
    expect(made.events.lines).toEqual(['expired a idle', 'ended a idle'])
  })

  it('is ended by getOrCreate before the new one is created', () => {
    const { registry, events } = expiredRegistry()
    const lines: string[] = []
    registry.getOrCreate('a', () => {
      lines.push(...events.lines)
      return ['new']
    })

    expect(lines).toEqual(['expired a idle', 'ended a idle'])
    expect(events.lines).toEqual(['expired a idle', 'ended a idle', 'created a'])
    expect(registry.get('a')).toEqual(['new'])
  })

  it.each(['set', 'replace'] as const)(
    'is ended by %s before the new one is created, and not as replaced',
    (member) => {
      const { registry, events } = expiredRegistry()
      registry[member]('a', ['new'])

      expect(events.lines).toEqual(['expired a idle', 'ended a idle', 'created a'])
    },
  )

  it('stays expired when it is read repeatedly, one millisecond before and after', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
    registry.set('a', [])
    clock.advance(999)
    expect(registry.has('a')).toBe(true)
    clock.advance(1)
    for (let round = 0; round < 3; round += 1) expect(registry.has('a')).toBe(false)
  })
})

describe('two deadlines', () => {
  it.each([
    { touchedAt: 0, reason: 'idle' },
    { touchedAt: 499, reason: 'idle' },
    { touchedAt: 501, reason: 'age' },
  ])('give the reason of the earlier one: touched at $touchedAt', ({ touchedAt, reason }) => {
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 1_000,
      maxAgeMs: 1_500,
      intervalMs: 100_000,
    })
    registry.set('a', [])
    clock.advance(touchedAt)
    registry.touch('a')
    clock.advance(10_000)
    registry.sweep()

    expect(events.lines.slice(1)).toEqual([`expired a ${reason}`, `ended a ${reason}`])
  })

  it('do not end a held session; one past `maxAgeMs` expires as soon as it is released', () => {
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 1_000,
      maxAgeMs: 1_500,
      intervalMs: 100,
      maxTurnMs: 100_000,
    })
    registry.set('a', [])
    const hold = registry.hold('a')
    clock.advance(10_000)
    expect(registry.has('a')).toBe(true)
    expect(registry.get('a')).toEqual([])
    hold?.release()
    expect(registry.has('a')).toBe(false)
    clock.advance(100)

    expect(events.lines).toEqual(['created a', 'expired a age', 'ended a age'])
  })
})

describe('iteration', () => {
  it('is lazy: it starts at the first `next()`', () => {
    const { registry } = clockedRegistry()
    const walk = registry.keys()
    registry.set('a', [])

    expect([...walk]).toEqual(['a'])
  })

  it('yields the least recently active first, and sessions in use last', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 100_000 })
    for (const id of ['a', 'b', 'c', 'd']) {
      registry.set(id, [id])
      clock.advance(10)
    }
    registry.touch('b')
    registry.hold('a')

    expect([...registry.keys()]).toEqual(['c', 'd', 'b', 'a'])
    expect([...registry.values()].flat()).toEqual(['c', 'd', 'b', 'a'])
    expect(Array.from(registry.sessions(), ({ id }) => id)).toEqual(['c', 'd', 'b', 'a'])
    expect([...registry]).toEqual(['c', 'd', 'b', 'a'].map((id) => [id, [id]]))
  })

  it('skips sessions that ended, expired or were created after it started', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [])
    registry.set('short', [], { timeoutMs: 50 })
    const seen: string[] = []
    for (const id of registry.keys()) {
      seen.push(id)
      registry.delete('b')
      registry.replace('c', ['another life'])
      registry.set('late', [])
      clock.advance(30)
    }

    expect(seen).toEqual(['a', 'd'])
  })

  it('can be stopped early', () => {
    const { registry } = clockedRegistry()
    for (const id of ['a', 'b', 'c']) registry.set(id, [])
    for (const id of registry.keys()) {
      registry.delete(id)
      break
    }

    expect([...registry.keys()]).toEqual(['b', 'c'])
  })
})

describe('getOrCreate', () => {
  it('needs a factory only to create', () => {
    const { registry } = clockedRegistry({ create: undefined })
    registry.set('a', ['here'])

    expect(registry.getOrCreate('a')).toEqual(['here'])
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
  })

  it('passes the id to the factory', () => {
    const { registry } = clockedRegistry({ create: (id) => [`of the registry: ${id}`] })

    expect(registry.getOrCreate('a')).toEqual(['of the registry: a'])
    expect(registry.getOrCreate('b', (id) => [`of the call: ${id}`])).toEqual(['of the call: b'])
  })

  it('accepts undefined as a value', () => {
    const { registry } = clockedRegistry()
    registry.set('a', undefined as never)

    expect(registry.has('a')).toBe(true)
    expect(registry.getOrCreate('a')).toBeUndefined()
    expect(registry.stats().created).toBe(1)
  })
})

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
})
