import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const invalid = sessionError('ERR_SESSION_OPTION_INVALID')
const wrongTimeouts = [0, -5, Number.NaN, '5', null, {}, true] as unknown[]

describe('an invalid argument', () => {
  it.each(wrongTimeouts)('of getOrCreate: creates nothing: timeoutMs %s', (timeoutMs) => {
    const { registry, events, clock } = clockedRegistry()
    const error = thrownBy(() =>
      registry.getOrCreate('a', undefined, { timeoutMs: timeoutMs as number }),
    ) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toMatch(/^Expected `timeoutMs` to be .+, got .+$/)
    expect(registry.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(events.lines).toEqual([])
  })

  it.each(wrongTimeouts)('of set: leaves the live session unchanged: timeoutMs %s', (timeoutMs) => {
    const { registry, events } = clockedRegistry()
    registry.set('a', ['kept'])
    const error = thrownBy(() => registry.set('a', ['new'], { timeoutMs: timeoutMs as number }))

    expect(error).toEqual(invalid)
    expect(registry.get('a')).toEqual(['kept'])
    expect(events.lines).toEqual(['created a'])
  })

  it.each(wrongTimeouts)('of session.timeoutMs: changes nothing: %s', (timeoutMs) => {
    const { registry } = clockedRegistry({ timeoutMs: 1_000 })
    registry.getOrCreate('a')
    const session = registry.peek('a')
    const error = thrownBy(() => {
      if (session !== undefined) session.timeoutMs = timeoutMs as number
    }) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toContain('`timeoutMs`')
    expect(session?.timeoutMs).toBe(1_000)
  })

  it.each([null, 5, 'x', []])(
    'is refused if the options of a new session are not an object: %s',
    (options) => {
      const { registry } = clockedRegistry()

      expect(thrownBy(() => registry.getOrCreate('a', undefined, options as never))).toEqual(invalid)
      expect(thrownBy(() => registry.set('a', [], options as never))).toEqual(invalid)
      expect(registry.size).toBe(0)
    },
  )

  it('is refused if an option of a new session is unknown', () => {
    const { registry } = clockedRegistry()
    const error = thrownBy(() => registry.getOrCreate('a', undefined, { ttl: 5 } as never)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toContain('`ttl`')
    expect(registry.size).toBe(0)
  })

  it.each([5, 'x', {}, null])('is refused if the factory of a call is not a function: %s', (create) => {
    const { registry } = clockedRegistry()

    expect(thrownBy(() => registry.getOrCreate('a', create as never))).toEqual(invalid)
    expect(registry.size).toBe(0)
  })

  it.each([
    ['whenBusy', { whenBusy: 'later' }],
    ['whenBusy', { whenBusy: null }],
    ['signal', { signal: {} }],
    ['signal', { signal: new AbortController() }],
    ['signal', { signal: null }],
    ['signal', { signal: new EventTarget() }],
    ['signal', { signal: { aborted: false, removeEventListener: () => {} } }],
    // Without `removeEventListener` the run hung, since it could not remove its listener.
    ['signal', { signal: { aborted: false, addEventListener: () => {} } }],
    ['create', { create: 'no' }],
    ['create', { create: 'no' }],
    ['create', { create: 0 }],
    ['timeoutMs', { timeoutMs: 5 }],
  ])('of run: rejects without calling the turn: %s in %o', async (name, options) => {
    const { registry } = clockedRegistry()
    let called = false
    const run = observe(
      registry.run(
        'a',
        () => {
          called = true
        },
        options as never,
      ),
    )
    await run.settled

    expect(run.error).toEqual(invalid)
    expect((run.error as Error).message).toContain(`\`${name}\``)
    expect(called).toBe(false)
    expect(registry.size).toBe(0)
  })

  it.each([undefined, null, 'turn', {}])(
    'of run: rejects if the turn is not a function: %s',
    async (turn) => {
      const { registry } = clockedRegistry()
      const run = observe(registry.run('a', turn as never))
      await run.settled

      expect(run.error).toEqual(invalid)
      expect((run.error as Error).message).toContain('`turn`')
      expect(registry.size).toBe(0)
    },
  )

  it.each([null, 5, 'now'])('of run: rejects if the options are not an object: %s', async (options) => {
    const { registry } = clockedRegistry()
    const run = observe(registry.run('a', () => {}, options as never))
    await run.settled

    expect(run.error).toEqual(invalid)
  })

  it.each([
    { deadlineMs: -1 },
    { deadlineMs: Number.NaN },
    { deadlineMs: '5' },
    { deadlineMs: null },
    { deadline: 5 },
    null,
    5,
  ])('of close: rejects, and the registry stays open: %o', async (options) => {
    const { registry } = clockedRegistry()
    const close = observe(registry.close(options as never))
    await close.settled

    expect(close.error).toEqual(invalid)
    expect(registry.getOrCreate('a')).toEqual([])
  })

  it('of an asynchronous member: rejects instead of throwing', async () => {
    const { registry } = clockedRegistry()
    const calls = [
      () => registry.open(''),
      () => registry.run('', () => {}),
      () => registry.run('a', null as never),
      () => registry.close({ deadlineMs: -1 }),
    ]
    for (const call of calls) {
      let promise: Promise<unknown> | undefined
      expect(() => {
        promise = call()
      }).not.toThrow()
      await expect(promise).rejects.toThrow(/^Expected/)
    }
  })
})
