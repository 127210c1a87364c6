import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

const full = sessionError('ERR_SESSION_REGISTRY_FULL')
const ends = (lines: readonly string[]) => lines.filter((line) => line.startsWith('ended'))

describe('capacity', () => {
  it('evicts the least recently active session', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 100_000, maxSessions: 3 })
    for (const id of ['a', 'b', 'c']) {
      registry.set(id, [])
      clock.advance(1_000)
    }
    registry.touch('a')
    registry.set('d', [])

    expect(ends(events.lines)).toEqual(['ended b capacity'])
    expect(events.lines).not.toContain('expired b')
    expect(registry.size).toBe(3)
  })

  it('made by an expired session: a listener of its end that creates the same id wins', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, maxSessions: 2 })
    registry.set('a', ['a'])
    registry.set('b', ['b'])
    clock.advance(1_000)
    events.take()
    registry.once('ended', () => registry.set('c', ['of the listener']))
    let calls = 0
    const create = () => {
      calls += 1
      return ['of the call']
    }

    expect(registry.getOrCreate('c', create)).toEqual(['of the listener'])
    expect(calls).toBe(0)
    expect(events.lines.filter((line) => line.endsWith(' c') || line.includes(' c '))).toEqual(['created c'])
  })

  it('`whenFull: reject`: refuses a new session, and counts as no activity', () => {
    const { registry, events } = clockedRegistry({ maxSessions: 2, whenFull: 'reject' })
    let calls = 0
    const create = () => {
      calls += 1
      return []
    }
    for (const id of ['a', 'b']) registry.set(id, [])

    expect(thrownBy(() => registry.getOrCreate('c', create))).toEqual(full)
    expect(thrownBy(() => registry.set('c', []))).toEqual(full)
    expect(calls).toBe(0)
    expect(registry.getOrCreate('a')).toEqual([])
    expect([...registry.keys()].toSorted()).toEqual(['a', 'b'])
    expect(ends(events.lines)).toEqual([])
  })

  it.each(['evict', 'reject'] as const)(
    'replace: puts the new session in the place of the old one with %s',
    (whenFull) => {
      const { registry, events } = clockedRegistry({ maxSessions: 2, whenFull })
      for (const id of ['a', 'b', 'a']) registry.replace(id, [id])

      expect(ends(events.lines)).toEqual(['ended a replaced'])
      expect(registry.size).toBe(2)
    },
  )

  it.each(['evict', 'reject'] as const)('removes expired sessions first with %s', (whenFull) => {
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 10_000,
      intervalMs: 100_000,
      maxSessions: 2,
      whenFull,
    })
    registry.set('over', [], { timeoutMs: 500 })
    registry.set('live', [])
    clock.advance(100)
    registry.touch('over')
    clock.advance(500)
    registry.set('new', [])

    expect(ends(events.lines)).toEqual(['ended over idle'])
    expect([...registry.keys()].toSorted()).toEqual(['live', 'new'])
  })

  it('evicts nothing if the factory throws', () => {
    const { registry, events } = clockedRegistry({ maxSessions: 2 })
    const failure = new Error('no value')
    for (const id of ['a', 'b']) registry.set(id, [])
    const error = thrownBy(() =>
      registry.getOrCreate('c', () => {
        throw failure
      }),
    )

    expect(error).toBe(failure)
    expect(events.lines).toEqual(['created a', 'created b'])
    expect([...registry.keys()]).toEqual(['a', 'b'])
  })

  it('evicts nothing for a getOrCreate without a factory', () => {
    const { registry, events } = clockedRegistry({ maxSessions: 1, create: undefined })
    registry.set('a', [])

    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
    expect(events.lines).toEqual(['created a'])
  })

  it('holds while the factory creates other sessions', () => {
    const { registry } = clockedRegistry({ maxSessions: 2 })
    registry.set('a', [])
    registry.getOrCreate('b', () => {
      for (const id of ['c', 'd', 'e']) registry.set(id, [])
      return ['b']
    })

    expect(registry.size).toBe(2)
    expect(registry.has('b')).toBe(true)
  })

  it('holds while listeners create other sessions', () => {
    const { registry } = clockedRegistry({ maxSessions: 2 })
    const sizes: number[] = []
    let left = 20
    registry.on('ended', ({ id }) => {
      sizes.push(registry.size)
      if (left > 0) registry.set(`${id}+`, [])
      left -= 1
    })
    for (const id of ['a', 'b', 'c']) registry.set(id, [])

    expect(left).toBeLessThan(0)
    expect(Math.max(...sizes)).toBe(2)
  })

  it('of one: keeps the newest', () => {
    const { registry } = clockedRegistry({ maxSessions: 1 })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)

    expect([...registry.keys()]).toEqual(['c'])
  })
})

describe('a creation', () => {
  it('reclaims a few expired sessions, so that memory stays bounded without any timer', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 2 ** 31 - 1 })
    let most = 0
    for (let index = 0; index < 10_000; index += 1) {
      registry.getOrCreate(String(index))
      clock.advance(10)
      most = Math.max(most, registry.size)
    }

    expect(most).toBeLessThanOrEqual(101)
  })

  it('does not reclaim many expired sessions at once', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 2 ** 31 - 1 })
    for (let index = 0; index < 1_000; index += 1) registry.getOrCreate(String(index))
    clock.advance(1_000)
    registry.getOrCreate('new')

    expect(registry.size).toBeGreaterThan(990)
    expect(registry.size).toBeLessThan(1_000)
  })

  it('returns the session that its factory created under the same id', () => {
    const { registry, events } = clockedRegistry()
    const value = registry.getOrCreate('a', () => {
      registry.set('a', ['from within'])
      return ['from the factory']
    })

    expect(value).toEqual(['from within'])
    expect(events.lines).toEqual(['created a'])
  })

  it('is refused if its factory closed the registry', async () => {
    const { registry, events } = clockedRegistry()
    const error = thrownBy(() =>
      registry.getOrCreate('a', () => {
        void registry.close()
        return []
      }),
    )
    await registry.close()

    expect(error).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(events.lines).toEqual([])
  })
})

// memorystore's prune reverses the order and evicts the newest session.
it.each([10_000, Number.POSITIVE_INFINITY])(
  'eviction after a sweep: ends the least recently active, never the newest, with a timeout of %s',
  (timeoutMs) => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs, maxSessions: 4 })
    for (const id of ['a', 'b', 'c', 'd']) {
      registry.getOrCreate(id)
      clock.advance(1_000)
    }
    registry.touch('a')
    clock.advance(1_000)
    registry.sweep()
    registry.sweep()
    expect([...registry.keys()]).toEqual(['b', 'c', 'd', 'a'])
    registry.getOrCreate('e')
    registry.getOrCreate('f')

    expect(events.lines.filter((line) => line.startsWith('ended'))).toEqual([
      'ended b capacity',
      'ended c capacity',
    ])
    expect([...registry.keys()]).toEqual(['d', 'a', 'e', 'f'])
  },
)

// A cap without idle expiry: 503 for every visitor until a restart (PrefectHQ/fastmcp#5210).
it('capacity: is free again once the sessions that filled it have expired, even with `whenFull: reject`', () => {
  const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxSessions: 2, whenFull: 'reject' })
  for (const id of ['a', 'b']) registry.getOrCreate(id)
  expect(thrownBy(() => registry.getOrCreate('c'))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
  clock.advance(1_000)

  expect(registry.getOrCreate('c')).toEqual([])
  expect(registry.getOrCreate('d')).toEqual([])
})
