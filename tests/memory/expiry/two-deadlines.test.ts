import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'

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
