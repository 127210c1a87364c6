import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { beginTurn } from '../support/open-turn.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { TrackingClock } from '../support/tracking-clock.ts'
import { watch } from '../support/watched.ts'

describe('a turn', () => {
  it('begins, and holds its session, before `run` returns', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.getOrCreate('a')
    clock.advance(999)
    const { session } = beginTurn(registry, 'a')
    clock.advance(1)

    expect(session.held).toBe(true)
    expect(registry.sweep()).toBe(0)
    expect(registry.has('a')).toBe(true)
    expect(registry.stats().held).toBe(1)
  })

  it('begins at once on a session that it creates, after `created` was told', () => {
    const { registry, events } = clockedRegistry()
    const seen: string[][] = []
    registry.run('a', () => seen.push(events.take()))

    expect(seen).toEqual([['created a']])
  })

  it('begins anew on a session whose time is exactly over', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', ['old'])
    clock.advance(1_000)

    expect(await registry.run('a', (session) => [...session.value])).toEqual([])
    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('starts the idle time of its session again when it ends', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    const turn = beginTurn(registry, 'a')
    clock.advance(900)
    expect(turn.session.idleMs).toBe(0)
    turn.end.resolve('done')
    await turn.run.settled
    clock.advance(999)
    expect(registry.has('a')).toBe(true)
    clock.advance(1)

    expect(registry.has('a')).toBe(false)
  })

  it('outlives the age of its session, which is over as soon as the turn is', async () => {
    const { registry, clock, events } = clockedRegistry({ maxAgeMs: 1_000, intervalMs: 100 })
    const turn = beginTurn(registry, 'a')
    clock.advance(5_000)
    expect(registry.has('a')).toBe(true)
    turn.end.resolve('done')
    await turn.run.settled

    expect(turn.run.value).toBe('done')
    expect(registry.has('a')).toBe(false)
    clock.advance(100)
    expect(events.take()).toEqual(['created a', 'expired a age', 'ended a age'])
  })

  it('gets the session that everybody else gets', () => {
    const { registry } = clockedRegistry()
    const { session } = beginTurn(registry, 'a')

    expect(session).toBe(registry.peek('a'))
  })

  it.each([
    ['returns a value', () => 7],
    ['returns a promise', async () => 7],
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what this is about
    ['returns a foreign promise', () => ({ then: (done: (value: number) => void) => done(7) })],
  ])('that %s gives it', async (_what, turn) => {
    const { registry } = clockedRegistry()

    expect(await registry.run('a', turn as () => number)).toBe(7)
    expect(registry.stats().held).toBe(0)
  })

  it('leaves no timer and nothing held behind', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: Number.POSITIVE_INFINITY })
    await registry.run('a', () => {})
    await failureOf(() => registry.run('a', () => Promise.reject(new Error('failed'))))

    expect(clock.pending).toBe(0)
    expect(registry.stats()).toMatchObject({ size: 1, held: 0, turns: 2 })
  })
})

describe('`maxTurnMs`', () => {
  const forEver = { timeoutMs: Number.POSITIVE_INFINITY }

  it('cuts a turn exactly when its time is up', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(999)
    expect(turn.run.state).toBe('pending')
    expect(turn.signal.aborted).toBe(false)
    await clock.advanceAsync(1)

    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(turn.signal.reason).toBe(turn.run.error)
    expect(turn.session.held).toBe(false)
    expect(registry.get('a')).toBe(turn.session.value)
  })

  it('is `timeoutMs` unless it is given', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(999)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.state).toBe('rejected')
  })

  it('is 20 minutes where `timeoutMs` is infinite', async () => {
    const { registry, clock } = clockedRegistry(forEver)
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(20 * 60_000 - 1)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.state).toBe('rejected')
  })

  it('of 30 days is waited for in parts that a timer can keep', async () => {
    const clock = new TrackingClock()
    const maxTurnMs = 30 * 24 * 3_600_000
    const { registry } = clockedRegistry({ ...forEver, clock, maxTurnMs })
    const turn = beginTurn(registry, 'a')
    await clock.manual.advanceAsync(maxTurnMs - 1)
    expect(turn.run.state).toBe('pending')
    await clock.manual.advanceAsync(1)

    expect(turn.run.state).toBe('rejected')
    expect(Math.max(...clock.delays)).toBe(2 ** 31 - 1)
    expect(clock.refed).toBe(0)
  })

  it('of infinity lets a turn last, and takes no timer', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: Number.POSITIVE_INFINITY })
    const turn = beginTurn(registry, 'a')
    expect(clock.pending).toBe(0)
    await clock.advanceAsync(365 * 24 * 3_600_000)
    turn.end.resolve('at last')
    await turn.run.settled

    expect(turn.run.value).toBe('at last')
  })

  it('lets the next turn begin in the very step', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const late = beginTurn(registry, 'a')
    const next = vi.fn()
    registry.run('a', next)
    clock.advance(1_000)

    expect(next).toHaveBeenCalledTimes(1)
    await late.run.settled
  })

  it.each(['resolve', 'reject'] as const)('makes what a late turn does (%s) change nothing', async (how) => {
    const { registry, clock, events } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const late = beginTurn(registry, 'a')
    await clock.advanceAsync(1_000)
    const next = beginTurn(registry, 'a')
    if (how === 'resolve') late.end.resolve('late')
    else late.end.reject(new Error('late'))
    await settle()

    expect(late.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(next.run.state).toBe('pending')
    expect(next.session.held).toBe(true)
    expect(registry.stats()).toMatchObject({ held: 1, turns: 2 })
    expect(events.take()).toEqual(['created a'])
  })

  it('keeps a late turn from going on through a nested one, or from opening its session', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const nested = vi.fn()
    const errors: unknown[] = []
    const late = watch(
      registry.run('a', async (_session, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await Promise.resolve()
        errors.push(await failureOf(() => registry.run('a', nested)))
        errors.push(await failureOf(() => registry.open('a')))
      }),
    )
    await clock.advanceAsync(1_000)

    expect(late.state).toBe('rejected')
    expect(errors).toEqual([late.error, late.error])
    expect(nested).not.toHaveBeenCalled()
  })

  it('does not count the time that a turn waits', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const first = beginTurn(registry, 'a')
    const second = watch(registry.run('a', () => new Promise(() => {})))
    await clock.advanceAsync(900)
    first.end.resolve('done')
    await clock.advanceAsync(999)
    expect(second.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(second.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })

  it('costs the limit and not the turn where the host gives no timer', async () => {
    const { registry, clock } = clockedRegistry(forEver)
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    const refusal = new Error('no timers here')
    vi.spyOn(clock, 'setTimeout').mockImplementation(() => {
      throw refusal
    })

    expect(await registry.run('a', () => 'done')).toBe('done')
    registry.hold('a')?.release()
    expect(errors).toEqual([refusal, refusal])
  })
})

describe('a session that ends in the middle of a turn', () => {
  it.each([
    ['delete', (end: ReturnType<typeof clockedRegistry>['registry']) => end.delete('a')],
    ['clear', (end: ReturnType<typeof clockedRegistry>['registry']) => end.clear()],
    ['set', (end: ReturnType<typeof clockedRegistry>['registry']) => end.set('a', [])],
  ])('by `%s` tells the turn, whose result still counts', async (_name, end) => {
    const { registry } = clockedRegistry()
    const turn = beginTurn(registry, 'a')
    end(registry)

    expect(turn.signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(turn.session.held).toBe(false)
    expect(registry.stats().held).toBe(0)
    turn.end.resolve('result')
    await turn.run.settled
    expect(turn.run.value).toBe('result')
  })

  it('lets those that wait begin anew, in their order', async () => {
    const { registry, events } = clockedRegistry()
    const turn = beginTurn(registry, 'a')
    const order: string[] = []
    const runs = [
      registry.run('a', () => order.push('wait')),
      registry.run('a', () => order.push('interrupt 1'), { whenBusy: 'interrupt' }),
      registry.run('a', () => order.push('interrupt 2'), { whenBusy: 'interrupt' }),
    ]
    registry.delete('a')
    await Promise.all(runs)

    expect(order).toEqual(['interrupt 2', 'interrupt 1', 'wait'])
    expect(events.take()).toEqual(['created a', 'ended a deleted', 'created a'])
    expect(turn.run.state).toBe('pending')
  })

  it('does not let one of them interrupt another', async () => {
    const { registry } = clockedRegistry()
    beginTurn(registry, 'a')
    const aborted: boolean[] = []
    const run = () =>
      registry.run(
        'a',
        async (_session, signal) => {
          await settle()
          aborted.push(signal.aborted)
        },
        { whenBusy: 'interrupt' },
      )
    const runs = [run(), run()]
    registry.delete('a')
    await Promise.all(runs)

    expect(aborted).toEqual([false, false])
  })

  it('gives those that wait the session that replaces it, and holds that in the same step', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    beginTurn(registry, 'a')
    const next = registry.run('a', (session) => [...session.value])
    registry.set('a', ['new'])
    clock.advance(1_000)

    expect(await next).toEqual(['new'])
  })

  it('lets a turn that may not create go where there is no session any more', async () => {
    const { registry } = clockedRegistry()
    beginTurn(registry, 'a')
    const turn = vi.fn()
    const next = registry.run('a', turn, { create: false })
    registry.delete('a')

    expect(await next).toBeUndefined()
    expect(turn).not.toHaveBeenCalled()
  })

  it('still cuts the turn when its time is up', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000 })
    const turn = beginTurn(registry, 'a')
    registry.delete('a')
    await clock.advanceAsync(1_000)

    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })

  it('by a listener of its creation lets the turn begin on a new one', async () => {
    const { registry } = clockedRegistry()
    registry.once('created', () => registry.delete('a'))

    expect(await registry.run('a', () => 'waits')).toBe('waits')
    registry.delete('a')
    registry.once('created', () => registry.delete('a'))
    expect(await registry.run('a', () => 'joins', { whenBusy: 'join' })).toBe('joins')
    expect(registry.stats().held).toBe(0)
  })
})
