import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { deferred } from '../../support/deferred.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const ended = sessionError('ERR_SESSION_ENDED')

describe.each(['deleted', 'replaced'] as const)('a session that is %s while a turn runs', (reason) => {
  function begun(options: Parameters<typeof disposingRegistry>[0] = {}) {
    const made = disposingRegistry({ mode: 'sync', turnGraceMs: 700, ...options })
    const turn = beginTurn(made.registry, 'a')
    const end = () => {
      if (reason === 'deleted') made.registry.delete('a')
      else made.registry.replace('a', ['new'])
    }
    return { ...made, turn, end }
  }

  it('is disposed of when the turn has settled', async () => {
    const { registry, disposer, lines, turn, end } = begun()
    end()
    await settle()
    expect(turn.signal.reason).toEqual(ended)
    expect(disposer.calls).toEqual([])
    expect(registry.stats().disposing).toBe(1)
    turn.end.resolve('done')
    await settle()

    expect(disposer.calls).toMatchObject([{ value: ['a'], reason, archived: false }])
    expect(lines.at(-1)).toBe(`ended a ${reason}`)
  })

  it('is disposed of when the turn has failed', async () => {
    const { disposer, turn, end } = begun()
    end()
    turn.end.reject(new Error('aborted'))
    await settle()

    expect(disposer.values).toEqual([['a']])
  })

  it('is disposed of `turnGraceMs` after the signal was aborted, at the latest', async () => {
    const { clock, disposer, turn, end } = begun()
    end()
    await clock.advanceAsync(699)
    expect([disposer.calls.length, turn.run.state]).toEqual([0, 'pending'])
    await clock.advanceAsync(1)
    expect(disposer.values).toEqual([['a']])
    turn.end.resolve('late')
    await settle()

    expect(disposer.calls).toHaveLength(1)
    expect(clock.pending).toBe(reason === 'deleted' ? 0 : 1)
  })

  it('with a grace of 0 is disposed of at once, after the signal has aborted', () => {
    const { disposer, turn, end } = begun({ turnGraceMs: 0 })
    let wasAborted: boolean | undefined
    disposer.onCall = () => {
      wasAborted = turn.signal.aborted
    }
    end()

    expect(wasAborted).toBe(true)
  })

  it('with an infinite grace is disposed of when the turn has settled, however late', async () => {
    const { clock, disposer, turn, end } = begun({
      turnGraceMs: Number.POSITIVE_INFINITY,
      maxTurnMs: Number.POSITIVE_INFINITY,
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    end()
    await clock.advanceAsync(100 * 86_400_000)
    expect(disposer.calls).toEqual([])
    turn.end.resolve('done')
    await settle()

    expect(disposer.values).toEqual([['a']])
  })

  it('waits for nested runs and for runs that joined', async () => {
    const { registry, disposer, turn, end } = begun()
    const inner = deferred()
    const joined = registry.run('a', () => inner.promise, { whenBusy: 'join' })
    await settle()
    end()
    turn.end.resolve('done')
    await settle()
    expect(disposer.calls).toEqual([])
    inner.resolve()
    await Promise.allSettled([joined])
    await settle()

    expect(disposer.values).toEqual([['a']])
  })

  it('keeps no timer once the turn has settled', async () => {
    const { clock, turn, end, registry } = begun({ timeoutMs: Number.POSITIVE_INFINITY })
    end()
    turn.end.resolve('done')
    await settle()
    registry.delete('a')

    expect(clock.pending).toBe(0)
  })

  it('disposes of the value that the turn has assigned until then', async () => {
    const { disposer, turn, end } = begun()
    end()
    turn.session.value = ['assigned']
    turn.end.resolve('done')
    await settle()

    expect(disposer.values).toEqual([['assigned']])
  })

  it('waits for a stream until it has run its `finally`', async () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    const cleanedUp = deferred()
    const stream = registry.stream('a', async function* () {
      try {
        yield 1
        yield 2
      } finally {
        await cleanedUp.promise
      }
    })
    await stream.next()
    if (reason === 'deleted') registry.delete('a')
    else registry.replace('a', ['new'])
    await settle()
    expect(disposer.calls).toEqual([])
    cleanedUp.resolve()
    await settle()

    expect(disposer.values).toEqual([['a']])
  })
})

describe('the id of a session that was deleted while a turn runs', () => {
  it('`run` waits until the value is disposed of, then makes a new one', async () => {
    const { registry, disposer } = disposingRegistry()
    const turn = beginTurn(registry, 'a')
    registry.delete('a')
    const next = observe(registry.run('a', ({ value }) => value))
    await settle()
    expect([next.state, disposer.calls.length]).toEqual(['pending', 0])
    turn.end.resolve('done')
    await settle()
    expect([next.state, disposer.calls.length]).toEqual(['pending', 1])
    disposer.at(0).resolve()
    await settle()

    expect(next.value).toEqual(['a'])
    expect(next.value).not.toBe(disposer.at(0).value)
  })

  it('turns that waited keep their order on the new session', async () => {
    const { registry } = disposingRegistry({ mode: 'sync' })
    const turn = beginTurn(registry, 'a')
    const order: number[] = []
    const runs = [1, 2, 3].map((number) => registry.run('a', () => order.push(number)))
    registry.delete('a')
    await settle()
    expect(order).toEqual([])
    turn.end.resolve('done')
    await Promise.all(runs)

    expect(order).toEqual([1, 2, 3])
  })

  it('the turn itself may delete it, and goes on with its value', async () => {
    const { registry, lines } = disposingRegistry({ mode: 'sync' })
    const seen = await registry.run('a', async ({ value }) => {
      registry.delete('a')
      await settle()
      return lines.includes('dispose a deleted') ? 'disposed of' : value
    })
    await settle()

    expect(seen).toEqual(['a'])
    expect(lines.slice(1)).toEqual(['dispose a deleted', 'ended a deleted'])
  })

  it('counts towards the capacity until the value is disposed of', async () => {
    const { registry } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    const turn = beginTurn(registry, 'a')
    registry.delete('a')
    const opened = observe(registry.open('b'))
    await settle()
    expect(opened.state).toBe('pending')
    turn.end.resolve('done')
    await settle()

    expect(opened.value).toEqual(['b'])
  })
})

describe('a turn that was aborted at its limit', () => {
  it('whose session is deleted after that has the rest of its grace', async () => {
    const { registry, clock, disposer } = disposingRegistry({
      mode: 'sync',
      maxTurnMs: 2_000,
      turnGraceMs: 500,
    })
    beginTurn(registry, 'a')
    await clock.advanceAsync(2_300)
    registry.delete('a')
    await clock.advanceAsync(199)
    expect(disposer.calls).toEqual([])
    await clock.advanceAsync(1)

    expect(disposer.calls).toMatchObject([{ value: ['a'], reason: 'deleted' }])
  })

  it('does not delay the disposal after its grace', async () => {
    const { registry, clock, disposer } = disposingRegistry({
      mode: 'sync',
      maxTurnMs: 2_000,
      turnGraceMs: 500,
    })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(2_500)
    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    await clock.advanceAsync(1_000)
    registry.sweep()

    expect(disposer.calls).toMatchObject([{ value: ['a'], reason: 'idle' }])
  })

  it('at the deadline of `close` has its grace before the value is disposed of', async () => {
    const { registry, clock, disposer } = disposingRegistry({ mode: 'sync', turnGraceMs: 500 })
    beginTurn(registry, 'a')
    const report = observe(registry.close({ deadlineMs: 300 }))
    await clock.advanceAsync(799)
    expect(disposer.calls).toEqual([])
    await clock.advanceAsync(1)

    expect(disposer.calls).toMatchObject([{ value: ['a'], reason: 'closed' }])
    expect(report.state).toBe('fulfilled')
  })
})
