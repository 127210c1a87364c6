import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const timeout = sessionError('ERR_SESSION_TURN_TIMEOUT')
const limits = { timeoutMs: Number.POSITIVE_INFINITY, maxTurnMs: 1_000, turnGraceMs: 500 }

/** Fulfils when the signal aborts. */
const aborted = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

describe('`turnGraceMs`', () => {
  it('signal: aborts exactly at `maxTurnMs`, and the run rejects exactly at the end of the grace', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(999)
    expect(turn.signal.aborted).toBe(false)
    await clock.advanceAsync(1)
    expect(turn.signal.reason).toEqual(timeout)
    await clock.advanceAsync(499)
    expect([turn.run.state, turn.session.held]).toEqual(['pending', true])
    await clock.advanceAsync(1)

    expect(turn.run.error).toBe(turn.signal.reason)
    expect(turn.session.held).toBe(false)
    expect(clock.pending).toBe(0)
  })

  it('is 5 seconds by default', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000 })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(5_999)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.state).toBe('rejected')
  })

  it('a turn that obeys the signal: writes before the next turn begins, and its run settles as it does', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const obeys = registry.run('a', async (session, signal) => {
      session.value.push('question')
      await aborted(signal)
      await settle()
      session.value.push('the answer took too long')
      return 'obeyed'
    })
    const next = registry.run('a', (session) => session.value.push('next question'))
    await clock.advanceAsync(1_000)

    expect(await obeys).toBe('obeyed')
    await next
    expect(registry.get('a')).toEqual(['question', 'the answer took too long', 'next question'])
    expect(registry.stats()).toMatchObject({ turnTimeouts: 1, held: 0, running: 0 })
  })

  it('a turn that fails within it: rejects with its own error', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const own = new Error('stopped in the middle')
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(1_000)
    turn.end.reject(own)
    await turn.run.settled

    expect(turn.run.error).toBe(own)
  })

  it('nested runs join during it', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const outer = registry.run('a', async (_session, signal) => {
      await aborted(signal)
      return registry.run('a', async (session, nested) => {
        session.value.push('note')
        return nested.aborted
      })
    })
    await clock.advanceAsync(1_000)

    expect(await outer).toBe(true)
    expect(registry.get('a')).toEqual(['note'])
  })

  it('0: rejects the run in the same step as the signal aborts', async () => {
    const { registry, clock } = clockedRegistry({ ...limits, turnGraceMs: 0 })
    const turn = beginTurn(registry, 'a')
    const next = vi.fn()
    registry.run('a', next)
    clock.advance(1_000)

    expect(turn.signal.reason).toEqual(timeout)
    expect(next).toHaveBeenCalledTimes(1)
    await turn.run.settled
    expect(turn.run.error).toBe(turn.signal.reason)
  })

  it('infinity: aborts, and never rejects the run', async () => {
    const { registry, clock } = clockedRegistry({ ...limits, turnGraceMs: Number.POSITIVE_INFINITY })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(1_000)
    expect(turn.signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
    await clock.advanceAsync(365 * 24 * 3_600_000)
    turn.end.resolve('at last')
    await turn.run.settled

    expect(turn.run.value).toBe('at last')
  })

  it('after it: everything of that id inside the late turn rejects with the code', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const nested = vi.fn()
    const errors: unknown[] = []
    const gate = deferred()
    const late = observe(
      registry.run('a', async (session) => {
        await gate.promise
        errors.push(await failureOf(() => registry.run('a', nested)))
        errors.push(await failureOf(() => registry.open('a')))
        errors.push(await failureOf(() => registry.acquire('a')))
        // Changes of the value are not prevented, and other ids are not affected by the limit.
        session.value.push('late')
        await registry.run('b', () => {})
      }),
    )
    await clock.advanceAsync(1_500)
    gate.resolve()
    await settle()

    expect(errors).toEqual([late.error, late.error, late.error])
    expect(late.error).toEqual(timeout)
    expect(nested).not.toHaveBeenCalled()
    expect(registry.get('a')).toEqual(['late'])
    expect(registry.has('b')).toBe(true)
  })

  it('after it: work that the late turn left behind needs a turn of its own once the turn has settled', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const end = deferred()
    const gate = deferred()
    let leftBehind = observe(Promise.resolve<unknown>(undefined))
    const late = observe(
      registry.run('a', () => {
        leftBehind = observe(gate.promise.then(() => registry.run('a', () => 'a turn of its own')))
        return end.promise
      }),
    )
    await clock.advanceAsync(1_500)
    expect(late.error).toEqual(timeout)
    const next = beginTurn(registry, 'a')
    end.resolve()
    await settle()
    gate.resolve()
    await settle()
    expect(leftBehind.state).toBe('pending')
    next.end.resolve('done')
    await leftBehind.settled

    expect(leftBehind.value).toBe('a turn of its own')
  })

  it('of an interrupted turn: begins at its limit, and only then', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const first = beginTurn(registry, 'a')
    const next = observe(registry.run('a', () => 'next', { whenBusy: 'interrupt' }))
    expect(first.signal.reason).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
    await clock.advanceAsync(1_499)
    expect([first.run.state, next.state]).toEqual(['pending', 'pending'])
    await clock.advanceAsync(1)

    expect(first.run.error).toEqual(timeout)
    expect(next.value).toBe('next')
  })

  it('`stats().turnTimeouts`: counts turns past their limit, whatever their outcome, and no holds', async () => {
    const { registry, clock } = clockedRegistry({ ...limits, maxHoldMs: 100 })
    registry.on('error', () => {})
    registry.getOrCreate('b')
    registry.hold('b')
    const obeys = registry.run('a', (_session, signal) => aborted(signal))
    const deaf = observe(registry.run('c', () => new Promise(() => {})))
    await clock.advanceAsync(1_500)
    await obeys
    expect(deaf.state).toBe('rejected')

    expect(registry.stats()).toMatchObject({ turnTimeouts: 2, running: 0 })
  })
})

describe('`close` and the grace', () => {
  const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

  it('archives what the turn wrote after its signal aborted', async () => {
    const store = new FakeArchive('instant')
    const { registry, clock } = clockedRegistry({ ...limits, archive: store.archive, load: store.load })
    const turn = observe(
      registry.run('a', async (session, signal) => {
        session.value.push('question')
        try {
          await aborted(signal)
          throw signal.reason
        } catch (error) {
          await settle()
          session.value.push('interrupted by a restart')
          throw error
        }
      }),
    )
    await settle()
    const report = registry.close({ deadlineMs: 100 })
    await clock.advanceAsync(100)
    await settle()

    expect(await report).toMatchObject({ ended: 1, archived: 1 })
    expect(turn.error).toEqual(closed)
    expect(store.stored.get('a')).toEqual(['question', 'interrupted by a restart'])
  })

  it('does not archive before the end of the grace if a turn does not obey', async () => {
    const store = new FakeArchive('instant')
    const { registry, clock } = clockedRegistry({ ...limits, archive: store.archive })
    const turn = beginTurn(registry, 'a')
    const report = observe(registry.close({ deadlineMs: 100 }))
    await clock.advanceAsync(599)
    expect([turn.signal.reason, turn.run.state, store.calls]).toEqual([closed, 'pending', []])
    await clock.advanceAsync(1)

    expect(turn.run.error).toBe(turn.signal.reason)
    expect(report.value).toMatchObject({ ended: 1, archived: 1 })
    expect(clock.pending).toBe(0)
  })

  it('accepts nested runs during the grace, and refuses everything else', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const turn = observe(
      registry.run('a', async (_session, signal) => {
        await aborted(signal)
        return registry.run('a', () => 'joined')
      }),
    )
    registry.close({ deadlineMs: 100 })
    await clock.advanceAsync(100)
    await turn.settled

    expect(turn.value).toBe('joined')
    expect(await failureOf(() => registry.run('a', () => {}))).toEqual(closed)
    expect(await failureOf(() => registry.acquire('a'))).toEqual(closed)
  })

  it('a turn whose grace began before the deadline gets no second one', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(900)
    const report = observe(registry.close({ deadlineMs: 200 }))
    await clock.advanceAsync(599)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.error).toEqual(timeout)
    expect(report.state).toBe('fulfilled')
  })

  it('releases what a settled turn left running in a nested one, too', async () => {
    const { registry, clock } = clockedRegistry(limits)
    let nested = observe(Promise.resolve<unknown>(undefined))
    await registry.run('a', () => {
      nested = observe(
        registry.run('a', (_session, signal) => aborted(signal).then(() => new Promise(() => {}))),
      )
    })
    const report = observe(registry.close({ deadlineMs: 100 }))
    await clock.advanceAsync(599)
    expect(nested.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(nested.error).toEqual(closed)
    expect(report.state).toBe('fulfilled')
  })
})
