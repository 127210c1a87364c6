import { describe, expect, it } from 'vitest'
import { toSessionId } from '../../src/core/ids/to-session-id.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

describe('toSessionId', () => {
  it.each<[id: string | number | bigint, expected: string]>([
    ['a', 'a'],
    [0, '0'],
    [-7, '-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [2n ** 53n + 1n, '9007199254740993'],
  ])('converts %o to its string', (id, expected) => {
    expect(toSessionId(id)).toBe(expected)
  })

  it.each([2 ** 53, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the number %s', (id) => {
    const error = thrownBy(() => toSessionId(id, '`thread_id`')) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect(error.message).toMatch(/^Expected the session id in `thread_id` to be .* safe integer/)
    expect((thrownBy(() => toSessionId(id)) as Error).message).toMatch(/^Expected the session id to be /)
  })

  it.each([
    ['an empty string', ''],
    ['null', null],
    ['undefined', undefined],
    ['an object', {}],
  ])('refuses %s', (_what, id) => {
    const error = thrownBy(() => toSessionId(id as never, '`thread_id`')) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect(error.message).toMatch(/^Expected the session id in `thread_id` to be /)
    expect((thrownBy(() => toSessionId(id as never)) as Error).message).toMatch(
      /^Expected the session id to be /,
    )
  })
})
