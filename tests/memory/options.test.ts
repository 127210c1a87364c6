import { SessionRegistry, SessionRegistryError, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { sessionError, thrownBy } from '../support/session-error.ts'
import { TrackingClock } from '../support/tracking-clock.ts'

const make = (options: unknown) => new SessionRegistry(options as SessionRegistryOptions<string[]>)
const noop = () => {}
const wrongEverywhere = [null, {}, [], Symbol('x')]
const wrongNumbers = [...wrongEverywhere, '5', true, noop, Number.NaN, 0, -5, Number.NEGATIVE_INFINITY, 5n]
const wrongCounts = [...wrongNumbers, 1.5, 0.5]
const wrongDurations = wrongNumbers.filter((value) => value !== 0)
const wrongWholes = wrongCounts.filter((value) => value !== 0)
const wrongFunctions = [null, {}, [], 'fn', 5, true]

const wrong: Record<string, readonly unknown[]> = {
  timeoutMs: wrongNumbers,
  intervalMs: [...wrongNumbers, 0.5, 2 ** 31, Number.POSITIVE_INFINITY],
  maxAgeMs: wrongNumbers,
  maxTurnMs: wrongNumbers,
  maxHoldMs: wrongNumbers,
  turnGraceMs: wrongDurations,
  slowTurnMs: wrongNumbers,
  loadTimeoutMs: wrongCounts,
  maxWaiting: wrongWholes,
  rollback: [...wrongEverywhere, 'yes', 1, noop],
  codec: [null, 'json', 5, noop, {}, { encode: noop }, { encode: noop, decode: 'no' }],
  maxSessions: wrongCounts,
  archiveConcurrency: [...wrongCounts, Number.POSITIVE_INFINITY],
  archiveAttempts: [...wrongCounts, Number.POSITIVE_INFINITY],
  archiveTimeoutMs: wrongCounts,
  whenFull: [...wrongEverywhere, '', 'drop', 'Evict', 1],
  create: wrongFunctions,
  load: wrongFunctions,
  archive: wrongFunctions,
  logger: [null, 'info', 1, {}, { debug: noop, info: noop, warn: noop }, { info: 'x' }, noop],
  logIds: [null, 'hash', true, {}, 5],
  name: [null, '', 5, {}, Symbol('x')],
  clock: [
    null,
    'system',
    5,
    {},
    { now: () => 0 },
    { now: () => 0, setTimeout: noop },
    { now: 0, setTimeout: noop, clearTimeout: noop },
    { now: () => 0, setTimeout: noop, clearTimeout: noop, date: 5 },
  ],
}

const cases = Object.entries(wrong).flatMap(([option, values]) => values.map((value) => ({ option, value })))

describe('an invalid option', () => {
  it.each(cases)('is refused: $option = $value', ({ option, value }) => {
    const error = thrownBy(() => make({ [option]: value })) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error).toBeInstanceOf(SessionRegistryError)
    expect(error.message).toMatch(/^Expected `[A-Za-z.]+` to be .+, got .+$/)
    expect(error.message).toContain(`\`${option}`)
  })

  it('error message: names the option, the rule and the kind of thing that was passed', () => {
    const error = thrownBy(() => make({ timeoutMs: -5 })) as Error

    expect(error.message).toBe('Expected `timeoutMs` to be a positive number or Infinity, got -5 (number)')
  })

  it.each([null, 5, 'timeoutMs', true, [], noop])(
    'is refused if the options are not an object: %s',
    (options) => {
      const error = thrownBy(() => make(options)) as Error

      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(error.message).toContain('`options`')
    },
  )

  it.each(['timeout', 'ttl', 'timeoutMS', 'max', 'onExpired'])(
    'is refused if it is unknown: %s',
    (option) => {
      const error = thrownBy(() => make({ [option]: 5 })) as Error

      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(error.message).toContain(`\`${option}\``)
    },
  )

  // An object of sessions by id, passed instead of the options.
  it.each(['user-42', 'user_42', 'Ada', 'a b', '0b7f0c8e-1d5f-4f3a', 'abcdefghijklmnopqrstu', '__ada__', ''])(
    'is not named if it is unknown and may be an id: "%s"',
    (key) => {
      const error = thrownBy(() => make(JSON.parse(`{ ${JSON.stringify(key)}: 5 }`))) as Error

      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(error.message).toMatch(/, got another one \(a string of length \d+\)$/)
      if (key !== '') expect(error.message).not.toContain(`\`${key}`)
    },
  )

  it('starts no timer', () => {
    const clock = new ManualClock()
    thrownBy(() => make({ clock, timeoutMs: -1 }))

    expect(clock.pending).toBe(0)
  })
})

describe('a valid option', () => {
  const right: Record<string, readonly unknown[]> = {
    timeoutMs: [0.5, 1, 2 ** 40, Number.POSITIVE_INFINITY],
    intervalMs: [1, 2 ** 31 - 1],
    maxAgeMs: [0.5, 1, 2 ** 40, Number.POSITIVE_INFINITY],
    maxTurnMs: [1, 2 ** 40, Number.POSITIVE_INFINITY],
    maxSessions: [1, 2 ** 31, Number.POSITIVE_INFINITY],
    archiveConcurrency: [1, 1000],
    archiveAttempts: [1, 1000],
    archiveTimeoutMs: [1, 2 ** 40],
    whenFull: ['evict', 'reject'],
    create: [() => []],
    load: [async () => undefined],
    archive: [async () => {}],
    logger: [false, { debug: noop, info: noop, warn: noop, error: noop }],
    logIds: ['hashed', 'plain', (id: string) => id],
    name: ['s', '会话'],
    clock: [new ManualClock(), { now: () => 0, setTimeout: noop, clearTimeout: noop }],
  }
  const accepted = Object.entries(right).flatMap(([option, values]) =>
    values.map((value) => ({ option, value })),
  )

  it.each(accepted)('is accepted: $option = $value', ({ option, value }) => {
    expect(() => make({ [option]: value })).not.toThrow()
  })

  it.each(Object.keys(wrong))('undefined is the default of %s', (option) => {
    expect(() => make({ [option]: undefined })).not.toThrow()
  })

  it('may be omitted', () => {
    expect(() => new SessionRegistry()).not.toThrow()
    expect(() => new SessionRegistry({})).not.toThrow()
    expect(() => make(undefined)).not.toThrow()
  })

  it('may come from an object without a prototype', () => {
    expect(() => make(Object.assign(Object.create(null), { timeoutMs: 5 }))).not.toThrow()
  })
})

describe('the defaults', () => {
  const minutes = 60_000

  it('expire a session after 20 minutes without activity', () => {
    const clock = new ManualClock()
    const registry = new SessionRegistry({ clock, create: () => [] })
    registry.getOrCreate('a')
    expect(registry.peek('a')?.timeoutMs).toBe(20 * minutes)
    clock.advance(20 * minutes - 1)
    expect(registry.has('a')).toBe(true)
    clock.advance(1)

    expect(registry.has('a')).toBe(false)
  })

  it('sweep every 5 minutes, on a timer that does not keep the process alive', () => {
    const clock = new TrackingClock()
    const registry = new SessionRegistry({ clock, create: () => [] })
    expect(clock.waiting.size).toBe(0)
    registry.getOrCreate('a')

    expect(clock.delays).toEqual([5 * minutes])
    expect(clock.waiting.size).toBe(1)
    expect(clock.refed).toBe(0)
  })

  it('have no age limit, no cap and no logger', () => {
    const clock = new ManualClock()
    const registry = new SessionRegistry<number>({ clock })
    for (let index = 0; index < 2_000; index += 1) registry.set(String(index), index)
    for (let hour = 0; hour < 24 * 7 * 6; hour += 1) {
      clock.advance(10 * minutes)
      registry.touch('7')
    }

    expect(registry.get('7')).toBe(7)
    expect(registry.stats()).toMatchObject({ created: 2_000, evicted: 0 })
  })
})
