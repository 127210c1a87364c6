import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'

/** A registry whose timer is armed and that nothing observes: creations take the fast path. */
function fastRegistry(maxPerOwner = Number.POSITIVE_INFINITY): SessionRegistry<object> {
  const registry = new SessionRegistry<object>({ create: () => ({}), maxPerOwner })
  registry.getOrCreate('first')
  return registry
}

describe('an owner on the fast path', () => {
  it('is bound, and compared', () => {
    const registry = fastRegistry()
    registry.getOrCreate('a', undefined, { owner: 'ada' })
    registry.getOrCreate('b')

    expect([registry.peek('a')?.owner, registry.peek('b')?.owner]).toEqual(['ada', undefined])
    expect(() => registry.getOrCreate('a', undefined, { owner: 'bob' })).toThrow('owner')
  })

  it('has no more sessions than `maxPerOwner`', () => {
    const registry = fastRegistry(1)
    registry.getOrCreate('a', undefined, { owner: 'ada' })
    registry.getOrCreate('b', undefined, { owner: 'ada' })

    expect([...registry.keys()]).toEqual(['first', 'b'])
  })
})
