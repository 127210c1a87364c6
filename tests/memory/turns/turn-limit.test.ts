import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

describe('`maxTurnMs`', () => {
  // Without a grace, so that a turn is cut at its limit; `turn-grace.test.ts` is about the grace.
  const forEver = { timeoutMs: Number.POSITIVE_INFINITY, turnGraceMs: 0 }

  it('aborts a turn exactly at its limit', async () => {
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

  it.each([
    ['20 minutes where `timeoutMs` is shorter', 1_000, 20 * 60_000],
    ['`timeoutMs` where that is longer', 30 * 60_000, 30 * 60_000],
  ])('is %s by default', async (_name, timeoutMs, expected) => {
    const { registry, clock } = clockedRegistry({ timeoutMs })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(expected - 1)
    expect(turn.signal.aborted).toBe(false)
    await clock.advanceAsync(1)

    expect(turn.signal.aborted).toBe(true)
  })

  it('is 20 minutes if `timeoutMs` is infinite', async () => {
    const { registry, clock } = clockedRegistry(forEver)
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(20 * 60_000 - 1)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.state).toBe('rejected')
  })

  it('of 30 days is waited for in parts that a timer can represent', async () => {
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

  it('of infinity sets no limit, and starts no timer', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: Number.POSITIVE_INFINITY })
    const turn = beginTurn(registry, 'a')
    expect(clock.pending).toBe(0)
    await clock.advanceAsync(365 * 24 * 3_600_000)
    turn.end.resolve('at last')
    await turn.run.settled

    expect(turn.run.value).toBe('at last')
  })

  it('lets the next turn begin in the same step', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const late = beginTurn(registry, 'a')
    const next = vi.fn()
    registry.run('a', next)
    clock.advance(1_000)

    expect(next).toHaveBeenCalledTimes(1)
    await late.run.settled
  })

  it.each(['resolve', 'reject'] as const)('prevents a late turn’s effect: %s', async (how) => {
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

  it('prevents a late turn from continuing in a nested one, or from opening its session', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const nested = vi.fn()
    const errors: unknown[] = []
    const late = observe(
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

  it('does not include the time that a turn waits', async () => {
    const { registry, clock } = clockedRegistry({ ...forEver, maxTurnMs: 1_000 })
    const first = beginTurn(registry, 'a')
    const second = observe(registry.run('a', () => new Promise(() => {})))
    await clock.advanceAsync(900)
    first.end.resolve('done')
    await clock.advanceAsync(999)
    expect(second.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(second.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })

  it('on a host without timers: the limit is lost, not the turn', async () => {
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
