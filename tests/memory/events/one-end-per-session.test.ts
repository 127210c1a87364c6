import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'

// One expiry, two terminal events in node-cache.
it('expiry: emits one `expired` and one `ended`, however it is found', () => {
  const finders = [
    (registry) => registry.get('a'),
    (registry) => registry.touch('a'),
    (registry) => registry.getOrCreate('a'),
    (registry) => registry.set('a', []),
    (registry) => registry.sweep(),
    (registry) => registry.delete('a'),
    (registry) => registry.clear(),
    (registry) => registry.getOrCreate('another'),
  ] satisfies ((registry: ReturnType<typeof clockedRegistry>['registry']) => unknown)[]
  for (const find of finders) {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    registry.getOrCreate('a')
    clock.advance(1_000)
    find(registry)
    find(registry)
    registry.sweep()
    clock.advance(500)

    expect(events.lines.filter((line) => line === 'expired a idle')).toHaveLength(1)
    expect(events.lines.filter((line) => line === 'ended a idle')).toHaveLength(1)
  }
})

// `dispose` on each touch in memorystore.
it('activity: emits nothing', () => {
  const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
  registry.getOrCreate('a')
  for (let round = 0; round < 100; round += 1) {
    clock.advance(100)
    registry.touch('a')
    registry.get('a')
    registry.getOrCreate('a').push('more')
  }

  expect(events.lines).toEqual(['created a'])
})
