import { inspect } from 'node:util'
import { isSessionRegistryError, type Session, SessionRegistryError } from 'session-registry'
import { describe, expect, it } from 'vitest'

describe('SessionRegistryError', () => {
  const error = new SessionRegistryError('ERR_SESSION_BUSY', 'Expected peace, got a turn')

  it('is an Error with a code, a name and a message', () => {
    expect(error).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(SessionRegistryError)
    expect([error.name, error.code, error.message]).toEqual([
      'SessionRegistryError',
      'ERR_SESSION_BUSY',
      'Expected peace, got a turn',
    ])
    expect(String(error)).toBe('SessionRegistryError: Expected peace, got a turn')
    expect(error.stack?.split('\n')[0]).toBe('SessionRegistryError: Expected peace, got a turn')
  })

  it('has a cause if one was passed, even undefined, and none otherwise', () => {
    const cause = new Error('the database is down')

    expect(new SessionRegistryError('ERR_SESSION_BUSY', '', { cause }).cause).toBe(cause)
    expect('cause' in new SessionRegistryError('ERR_SESSION_BUSY', '', { cause: undefined })).toBe(true)
    expect('cause' in error).toBe(false)
  })

  it('does not print the value of its session', () => {
    const session = { value: 'said in confidence' } as Session<unknown>
    const failed = new SessionRegistryError('ERR_SESSION_ARCHIVE_FAILED', 'failed', { session })

    expect(failed.session).toBe(session)
    expect(JSON.stringify(failed) + inspect(failed)).not.toContain('confidence')
  })
})

describe('isSessionRegistryError', () => {
  const error = new SessionRegistryError('ERR_SESSION_BUSY', '')

  it('recognises an error of the library, and its code', () => {
    expect(isSessionRegistryError(error)).toBe(true)
    expect(isSessionRegistryError(error, 'ERR_SESSION_BUSY')).toBe(true)
    expect(isSessionRegistryError(error, 'ERR_SESSION_ENDED')).toBe(false)
  })

  it('recognises an error of another copy of the library by its symbol', () => {
    const foreign = Object.assign(new Error('from elsewhere'), {
      [Symbol.for('session-registry.error')]: true,
      code: 'ERR_SESSION_BUSY',
    })

    expect(isSessionRegistryError(foreign, 'ERR_SESSION_BUSY')).toBe(true)
  })

  it.each([undefined, null, 'ERR_SESSION_BUSY', 5, {}, new Error('x'), { code: 'ERR_SESSION_BUSY' }])(
    'rejects anything else: %s',
    (other) => {
      expect(isSessionRegistryError(other)).toBe(false)
      expect(isSessionRegistryError(other, 'ERR_SESSION_BUSY')).toBe(false)
    },
  )
})
