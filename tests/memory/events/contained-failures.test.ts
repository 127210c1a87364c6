import process from 'node:process'
import type { Logger, SessionRegistryOptions } from 'session-registry'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { settle } from '../../support/settle.ts'

const failure = new Error('the listener is broken')
const fail = () => {
  throw failure
}
const noop = () => {}
const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(noop)

afterEach(() => warnings.mockClear())

function make(options: SessionRegistryOptions<string[]> = {}) {
  return clockedRegistry({ timeoutMs: 1_000, intervalMs: 500, ...options })
}

describe('a contained failure without a listener', () => {
  it('is a process warning, once per registry', () => {
    for (const { registry } of [make(), make()]) {
      registry.on('created', fail)
      registry.getOrCreate('a')
      registry.getOrCreate('b')
    }

    expect(warnings).toHaveBeenCalledTimes(2)
    expect(warnings.mock.calls[0]).toEqual([
      "Unhandled registry error (add an 'error' listener): the listener is broken",
      { type: 'SessionRegistryWarning' },
    ])
  })

  it('is no warning if `error` has a listener', () => {
    const { registry } = make()
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('created', fail)
    registry.getOrCreate('a')

    expect(errors).toEqual([failure])
    expect(errors[0]).toBe(failure)
    expect(warnings).not.toHaveBeenCalled()
  })

  it('is no warning if there is a logger', () => {
    const logger = new RecordingLogger()
    const { registry } = make({ logger })
    registry.on('created', fail)
    registry.getOrCreate('a')

    expect(logger.at('error')).toHaveLength(1)
    expect(warnings).not.toHaveBeenCalled()
  })

  it('is logged even if `error` has a listener', () => {
    const logger = new RecordingLogger()
    const { registry } = make({ logger })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('created', fail)
    registry.getOrCreate('a')

    expect(errors).toEqual([failure])
    expect(logger.at('error')).toHaveLength(1)
  })

  it('may be a value that cannot be converted to a string', () => {
    const { registry } = make()
    registry.on('created', () => {
      throw {
        toString: fail,
      }
    })

    expect(() => registry.getOrCreate('a')).not.toThrow()
    expect(registry.stats().listenerErrors).toBe(1)
  })

  it('is ignored on a host without process warnings', () => {
    const { registry } = make()
    warnings.mockImplementationOnce(fail)
    registry.on('created', fail)

    expect(() => registry.getOrCreate('a')).not.toThrow()
  })
})

describe('a listener that fails', () => {
  it.each([undefined, null, 0, 'text', failure])('with %s: emits that very value', (thrown) => {
    const { registry } = make()
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('created', () => {
      throw thrown
    })
    registry.getOrCreate('a')

    expect(errors).toEqual([thrown])
  })

  it('never throws into the caller of any member', async () => {
    const { registry, clock } = make({ maxSessions: 3 })
    for (const event of ['created', 'expired', 'ended', 'swept', 'error'] as const) registry.on(event, fail)
    const calls = [
      () => registry.getOrCreate('a'),
      () => registry.set('a', []),
      () => registry.delete('a'),
      () => registry.set('b', []),
      () => registry.clear(),
      () => registry.set('c', []),
      () => clock.advance(1_000),
      () => registry.set('d', [], { timeoutMs: 10 }),
      () => clock.advance(10),
      () => registry.get('d'),
      () => registry.sweep(),
    ]
    for (const call of calls) expect(call).not.toThrow()
    await expect(registry.run('e', () => 'done')).resolves.toBe('done')
    await expect(registry.open('f')).resolves.toEqual([])
    await expect(registry.close()).resolves.toMatchObject({ ended: 2 })
  })

  it('on `error`: is not emitted again', () => {
    const logger = new RecordingLogger()
    const { registry } = make({ logger })
    const recorded: unknown[] = []
    registry.on('error', fail)
    registry.on('error', (error) => recorded.push(error))
    registry.on('created', () => {
      throw new Error('first')
    })
    registry.getOrCreate('a')

    expect(recorded).toEqual([new Error('first')])
    expect(registry.stats().listenerErrors).toBe(2)
    expect(logger.at('error').map(({ fields }) => fields.event)).toEqual(['created', 'error'])
  })

  it('on `error`: is a warning if there is no logger', () => {
    const { registry } = make()
    registry.on('error', fail)
    registry.on('created', fail)
    registry.getOrCreate('a')

    expect(warnings).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['a promise', () => Promise.reject(failure)],
    // biome-ignore-start lint/suspicious/noThenProperty: thenables are what is tried here.
    [
      'a thenable',
      () => ({ then: (_resolve: unknown, reject: (error: unknown) => void) => reject(failure) }),
    ],
    ['a thenable whose then throws', () => ({ then: fail })],
    // biome-ignore-end lint/suspicious/noThenProperty: thenables are what is tried here.
    [
      'an object whose then cannot be read',
      () =>
        Object.defineProperty({}, 'then', {
          get: fail,
        }),
    ],
  ])('later, by %s: is contained as well', async (_what, listener: () => unknown) => {
    const { registry } = make()
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('created', listener)
    registry.getOrCreate('a')
    await settle()

    expect(errors).toEqual([failure])
    expect(registry.stats().listenerErrors).toBe(1)
  })

  it('on `error`, later: is counted, and ends nothing', async () => {
    const { registry } = make()
    registry.on('error', async () => fail())
    registry.on('created', fail)
    registry.getOrCreate('a')
    await settle()

    expect(registry.stats().listenerErrors).toBe(2)
    expect(warnings).toHaveBeenCalledTimes(1)
  })
})

describe('a logger that fails', () => {
  const broken = (part: Partial<Logger> & object): Logger => ({
    debug: noop,
    info: noop,
    warn: noop,
    error: noop,
    ...part,
  })
  const loggers: [string, Logger][] = [
    ['throws', broken({ debug: fail, info: fail, warn: fail, error: fail })],
    ['rejects', broken({ info: (() => Promise.reject(failure)) as () => void })],
    ['cannot say its level', { ...broken({}), isLevelEnabled: fail } as Logger],
    [
      'makes a child that throws',
      { ...broken({}), child: () => broken({ info: fail, debug: fail }) } as Logger,
    ],
  ]

  it.each(loggers)('and %s: stops nothing, and is a warning once', async (_how, logger) => {
    const { registry, clock, events } = make({ logger })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.getOrCreate('a')
    registry.getOrCreate('b')
    clock.advance(1_000)
    await settle()

    expect(registry.size).toBe(0)
    expect(events.lines).toHaveLength(6)
    expect(warnings).toHaveBeenCalledTimes(1)
    // Not emitted, since a listener of `error` may use that same logger.
    expect(errors).toEqual([])
  })

  it('in logIds: writes the line without the id', () => {
    const logger = new RecordingLogger()
    const { registry } = make({ logger, logIds: fail })
    registry.getOrCreate('a')

    expect(logger.lines[0]).toMatchObject({ message: 'session created', fields: { registry: 'sessions' } })
    expect(JSON.stringify(logger.lines)).not.toContain('"a"')
    expect(warnings).toHaveBeenCalledTimes(1)
  })
})

describe('the order of events', () => {
  it('is the same for every listener, even if listeners are re-entrant', () => {
    const { registry, events } = make()
    registry.prependListener('created', ({ id }) => {
      if (id === 'a') registry.getOrCreate('b')
      if (id === 'b') registry.delete('a')
    })
    const late: string[] = []
    registry.on('created', ({ id }) => late.push(`created ${id}`))
    registry.on('ended', ({ id }, reason) => late.push(`ended ${id} ${reason}`))
    registry.getOrCreate('a')

    expect(events.lines).toEqual(['created a', 'created b', 'ended a deleted'])
    expect(late).toEqual(events.lines)
  })

  it('comes after the change of state', () => {
    const { registry, clock } = make()
    const states: unknown[] = []
    registry.on('created', ({ id }) => states.push(['created', registry.has(id), registry.size]))
    registry.on('expired', ({ id }) => states.push(['expired', registry.has(id), registry.size]))
    registry.on('ended', ({ id }) => states.push(['ended', registry.has(id), registry.size]))
    registry.on('swept', () => states.push(['swept', registry.stats().lastSweep?.expired]))
    registry.getOrCreate('a')
    clock.advance(1_000)

    expect(states).toEqual([
      ['created', true, 1],
      ['expired', false, 0],
      ['ended', false, 0],
      ['swept', 1],
    ])
  })

  it('includes listeners added by another listener from the next event on', () => {
    const { registry } = make()
    const recorded: string[] = []
    registry.once('created', () => {
      registry.on('ended', ({ id }) => recorded.push(id))
      registry.delete('a')
    })
    registry.getOrCreate('a')

    expect(recorded).toEqual(['a'])
  })
})
