import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'

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
