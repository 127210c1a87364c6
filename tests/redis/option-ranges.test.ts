import { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it } from 'vitest'
import { sessionError, thrownBy } from '../support/session-error.ts'

const client = { evalSha: async () => 0, eval: async () => 0 }

const delay = 'a number from 1 to 2147483647'
const count = 'an integer of at least 1'

describe('the error message of a number out of range on Redis', () => {
  it.each([
    ['shards', 'an integer from 1 to 4096'],
    ['leaseMs', delay],
    ['intervalMs', `${delay}, or Infinity`],
    ['retentionMs', count],
    ['archiveConcurrency', count],
    ['archiveAttempts', count],
    ['archiveTimeoutMs', count],
    ['timeoutMs', 'a positive number or Infinity'],
    ['maxAgeMs', 'a positive number or Infinity'],
    ['maxTurnMs', 'a positive number or Infinity'],
    ['slowTurnMs', 'a positive number or Infinity'],
  ])('names the range of `%s`: %s, for any invalid value', (option, range) => {
    for (const [wrong, got] of [
      [0, '0 (number)'],
      [-1, '-1 (number)'],
      [Number.NaN, 'NaN (number)'],
      ['7', 'a string'],
      [null, 'null'],
    ]) {
      const error = thrownBy(() => new RedisSessionRegistry({ client, [option as string]: wrong } as never))

      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect((error as Error).message).toBe(`Expected \`${option}\` to be ${range}, got ${got}`)
    }
  })

  it.each([
    ['shards', 4_097],
    ['shards', 1.5],
    ['shards', Number.POSITIVE_INFINITY],
    ['leaseMs', 2 ** 31],
    ['leaseMs', Number.POSITIVE_INFINITY],
    ['intervalMs', 2 ** 31],
  ])('names the upper end too: %s of %s', (option, wrong) => {
    const error = thrownBy(() => new RedisSessionRegistry({ client, [option]: wrong } as never)) as Error

    expect(error.message).toMatch(/ from 1 to \d+(, or Infinity)?, got /)
  })
})
