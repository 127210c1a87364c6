import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'

describe('a value that is assigned over', () => {
  it.each(['set', 'session.value'] as const)(
    'is the application’s, by `%s`: it is not disposed of',
    (how) => {
      const { registry, disposer } = disposingRegistry({ mode: 'sync' })
      registry.getOrCreate('a')
      const assigned = ['assigned']
      if (how === 'set') registry.set('a', assigned)
      else Object.assign(registry.peek('a') ?? {}, { value: assigned })
      expect(disposer.calls).toEqual([])
      registry.delete('a')

      expect(disposer.values).toEqual([assigned])
      expect(disposer.at(0).value).toBe(assigned)
    },
  )

  it('in a turn: what the session has at its end is disposed of', async () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    await registry.run('a', (session) => {
      session.value = ['by the turn']
    })
    registry.delete('a')

    expect(disposer.values).toEqual([['by the turn']])
  })

  it('by `replace`: it is disposed of', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    registry.replace('a', ['new'])

    expect(disposer.values).toEqual([['a']])
  })

  it('of two sessions: is disposed of once for each', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    const shared = ['shared']
    registry.set('a', shared)
    registry.set('b', shared)
    registry.clear()

    expect(disposer.values).toEqual([shared, shared])
  })

  it('that `set` was refused for is the caller’s', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    registry.getOrCreate('a')
    registry.hold('a')

    expect(() => registry.set('b', ['refused'])).toThrow()
    expect(disposer.calls).toEqual([])
  })
})
