import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('a session that ends during a turn', () => {
  it.each([
    ['delete', (end: ReturnType<typeof clockedRegistry>['registry']) => end.delete('a')],
    ['clear', (end: ReturnType<typeof clockedRegistry>['registry']) => end.clear()],
    ['replace', (end: ReturnType<typeof clockedRegistry>['registry']) => end.replace('a', [])],
  ])('by `%s`: aborts the turn’s signal, and its result still counts', async (_name, end) => {
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

  it('lets waiting turns open the id anew, in their order', async () => {
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

  it('does not let one waiting turn interrupt another', async () => {
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

  it('gives waiting turns the session that replaces it, held in the same step', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    beginTurn(registry, 'a')
    const next = registry.run('a', (session) => [...session.value])
    registry.replace('a', ['new'])
    clock.advance(1_000)

    expect(await next).toEqual(['new'])
  })

  it('a waiting turn that may not create settles if there is no session any more', async () => {
    const { registry } = clockedRegistry()
    beginTurn(registry, 'a')
    const turn = vi.fn()
    const next = registry.run('a', turn, { create: false })
    registry.delete('a')

    expect(await next).toBeUndefined()
    expect(turn).not.toHaveBeenCalled()
  })

  it('the turn is still bounded by its limit', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000, turnGraceMs: 500 })
    const turn = beginTurn(registry, 'a')
    registry.delete('a')
    await clock.advanceAsync(1_499)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })

  it('by a listener of `created`: the turn begins on a new session', async () => {
    const { registry } = clockedRegistry()
    registry.once('created', () => registry.delete('a'))

    expect(await registry.run('a', () => 'waits')).toBe('waits')
    registry.delete('a')
    registry.once('created', () => registry.delete('a'))
    expect(await registry.run('a', () => 'joins', { whenBusy: 'join' })).toBe('joins')
    expect(registry.stats().held).toBe(0)
  })
})
