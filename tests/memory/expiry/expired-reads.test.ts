import { describe, expect, it } from 'vitest'
import { type ClockedRegistry, clockedRegistry } from '../../support/clocked-registry.ts'

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
