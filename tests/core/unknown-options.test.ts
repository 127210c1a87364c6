import { SessionRegistry } from 'session-registry'
import { RedisSessionRegistry } from 'session-registry/redis'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { describe, expect, it } from 'vitest'
import { closestName } from '../../src/core/options/closest-name.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'

const known = ['timeoutMs', 'intervalMs', 'maxAgeMs', 'maxSessions', 'maxWaiting', 'load', 'name', 'store']

describe('the closest known option', () => {
  it.each([
    ['timeoutMS', 'timeoutMs', 'only the case differs'],
    ['timeout', 'timeoutMs', '`Ms` is missing'],
    ['maxage', 'maxAgeMs', '`Ms` is missing and the case differs'],
    ['timeoutMss', 'timeoutMs', 'a letter is too many'],
    ['tiemoutMs', 'timeoutMs', 'two letters are swapped'],
    ['timeout_ms', 'timeoutMs', 'another style'],
    ['maxSesions', 'maxSessions', 'a letter is missing'],
    ['stor', 'store', 'a letter is missing in a short name'],
  ])('of %s is %s: %s', (name, expected) => {
    expect(closestName(name, known)).toBe(expected)
  })

  it.each([
    ['timeeeeoutMs', 'three letters are too many'],
    ['ttl', 'a short name differs in more than one letter'],
    ['lode', 'a short name differs in two letters'],
    ['maxSessionsPerUser', 'it is longer by more than two letters'],
    ['x'.repeat(5_000), 'it is no name'],
  ])('of %.20s does not exist: %s', (name) => {
    expect(closestName(name, known)).toBeUndefined()
  })

  it('is the nearest of several, and the first of equally near ones', () => {
    expect(closestName('maxWaitMs', ['maxWaiting', 'maxWaits', 'waitMs'])).toBe('maxWaits')
    expect(closestName('noise', ['nose', 'poise'])).toBe('nose')
  })
})

describe('an unknown option', () => {
  const invalid = (end: string) =>
    expect.objectContaining({
      code: 'ERR_SESSION_OPTION_INVALID',
      message: expect.stringMatching(
        new RegExp(`^Expected \`options\` to have only known options \\(.*\\), got ${end}$`),
      ),
    })

  it('is refused with the option that was probably meant, by both registries', () => {
    const client = { evalSha: async () => 0, eval: async () => 0 }
    const options = { timeout: 5 } as never

    expect(thrownBy(() => new SessionRegistry(options))).toEqual(
      invalid('`timeout`; did you mean `timeoutMs`\\?'),
    )
    expect(thrownBy(() => new RedisSessionRegistry({ client, ...(options as object) }))).toEqual(
      invalid('`timeout`; did you mean `timeoutMs`\\?'),
    )
  })

  it('is refused so by calls and stores too', async () => {
    const registry = new SessionRegistry({ create: () => 0 })

    expect(await failureOf(() => registry.run('a', () => 0, { wait: 5 } as never))).toEqual(
      invalid('`wait`; did you mean `waitMs`\\?'),
    )
    expect(await failureOf(() => registry.close({ deadlineMS: 5 } as never))).toEqual(
      invalid('`deadlineMS`; did you mean `deadlineMs`\\?'),
    )
    expect(thrownBy(() => registry.hold('a', { maxMS: 5 } as never))).toEqual(
      invalid('`maxMS`; did you mean `maxMs`\\?'),
    )
    expect(thrownBy(() => sqliteStore('unused', { tables: 'x' } as never))).toEqual(
      invalid('`tables`; did you mean `table`\\?'),
    )
  })

  it('is refused without a hint if no option is close', () => {
    expect(thrownBy(() => new SessionRegistry({ expires: 5 } as never))).toEqual(invalid('`expires`'))
  })

  it('is not shown if it may be an id, even if an option is close', () => {
    const error = thrownBy(() => new SessionRegistry({ 'timeout-ms': 5 } as never))

    expect(error).toEqual(invalid('another one \\(a string of length 10\\); did you mean `timeoutMs`\\?'))
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})
