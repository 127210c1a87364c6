import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { assertSource } from '../../src/core/options/assert-source.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

describe('assertSource', () => {
  it('returns a registry, and any object with a `run`', () => {
    const registry = new SessionRegistry<string>()
    const other = { run: () => {} }

    expect(assertSource(registry)).toBe(registry)
    expect(assertSource(other as never)).toBe(other)
  })

  it.each([[undefined], [null], ['a registry'], [{}], [{ run: true }]])('refuses %o', (source) => {
    const error = thrownBy(() => assertSource(source as never)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toMatch(/^Expected `source` to be /)
  })
})
