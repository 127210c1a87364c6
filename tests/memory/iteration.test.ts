import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'

describe('iteration', () => {
  it('is lazy: it starts at the first `next()`', () => {
    const { registry } = clockedRegistry()
    const ids = registry.keys()
    registry.set('a', [])

    expect([...ids]).toEqual(['a'])
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
