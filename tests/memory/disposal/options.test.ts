import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { sessionError, thrownBy } from '../../support/session-error.ts'

function refusalOf(options: unknown): unknown {
  return thrownBy(() => new SessionRegistry(options as SessionRegistryOptions<string[]>))
}

describe('the options of disposal', () => {
  it.each([[false], [null], [1], ['true'], [{}], [[]]])(
    '`dispose` is a function or true, not %j',
    (dispose) => {
      expect(refusalOf({ dispose })).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(refusalOf({ dispose })).toMatchObject({
        message: expect.stringContaining('Expected `dispose` to be a function or true, got'),
      })
    },
  )

  it.each([[0], [-1], [Number.NaN], ['1000'], [null], [1n]])(
    '`disposeTimeoutMs` is positive, not %s',
    (disposeTimeoutMs) => {
      expect(refusalOf({ disposeTimeoutMs })).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(refusalOf({ disposeTimeoutMs })).toMatchObject({
        message: expect.stringContaining('`disposeTimeoutMs`'),
      })
    },
  )

  it.each([
    [{ dispose: undefined, disposeTimeoutMs: undefined }],
    [{ dispose: true as const }],
    [{ dispose: () => {}, disposeTimeoutMs: 0.5 }],
    [{ dispose: async () => {}, disposeTimeoutMs: Number.POSITIVE_INFINITY }],
    [{ dispose: () => {}, rollback: false }],
  ])('are valid: %o', (options) => {
    expect(new SessionRegistry<string[]>(options).state).toBe('open')
  })

  it.each([[true], [() => {}]])('`rollback` beside `dispose` is refused, and both are named', (dispose) => {
    const error = refusalOf({ dispose, rollback: true })

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error).toMatchObject({ message: expect.stringMatching(/`rollback`.*`dispose`/) })
  })

  it('without `dispose` nothing is counted as being disposed of', () => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    registry.getOrCreate('a')
    registry.delete('a')

    expect(registry.stats()).toMatchObject({ disposing: 0, deleted: 1 })
  })
})
