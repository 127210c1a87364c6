import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

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
