import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('a run inside a turn of the same id', () => {
  it.each(['wait', 'reject', 'interrupt', 'join'] as const)(
    'joins the turn, with `%s` or without',
    async (whenBusy) => {
      const { registry } = clockedRegistry()
      const aborted = await registry.run('a', async (_session, signal) => {
        await settle()
        await registry.run('a', () => {}, { whenBusy })
        return signal.aborted
      })

      expect(aborted).toBe(false)
    },
  )

  it('joins at any depth, and through turns of other sessions', async () => {
    const { registry } = clockedRegistry()
    const run = (id: string, turn: () => unknown) =>
      registry.run(id, async () => {
        await settle()
        return turn()
      })
    const result = run('a', () =>
      run('b', () => run('a', () => run('c', () => run('b', () => run('a', () => 7))))),
    )

    expect(await result).toBe(7)
    expect(registry.stats()).toMatchObject({ size: 3, held: 0, turns: 6 })
  })

  it('begins before `run` returns', async () => {
    const { registry } = clockedRegistry()
    const order: string[] = []
    await registry.run('a', () => {
      const nested = registry.run('a', () => order.push('nested'))
      order.push('outer')
      return nested
    })

    expect(order).toEqual(['nested', 'outer'])
  })

  it('joins a concurrent turn, and waits for none of the others', async () => {
    const { registry } = clockedRegistry()
    const gate = deferred()
    const running = registry.run('a', () => gate.promise)
    const beside = registry.run('a', () => registry.run('a', () => 'nested'), { whenBusy: 'join' })

    expect(await beside).toBe('nested')
    gate.resolve()
    await running
  })

  it('is aborted by the signal of its turn', async () => {
    const { registry } = clockedRegistry()
    const controller = new AbortController()
    const reasons: unknown[] = []
    const outer = registry.run(
      'a',
      (_session, signal) =>
        registry.run('a', async (_inner, nested) => {
          controller.abort('stop')
          reasons.push(signal.reason, nested.reason)
        }),
      { signal: controller.signal },
    )
    await outer

    expect(reasons).toEqual(['stop', 'stop'])
  })

  it('has an aborted signal if that of its turn has aborted', async () => {
    const { registry } = clockedRegistry()
    const controller = new AbortController()
    const reason = await registry.run(
      'a',
      () => {
        controller.abort('stop')
        return registry.run('a', (_session, signal) => signal.reason)
      },
      { signal: controller.signal },
    )

    expect(reason).toBe('stop')
  })

  it('is released with its turn, and the next turn begins', async () => {
    const { registry, clock } = clockedRegistry({
      timeoutMs: Number.POSITIVE_INFINITY,
      maxTurnMs: 1_000,
      turnGraceMs: 0,
    })
    let nested = observe(Promise.resolve<unknown>(undefined))
    const outer = observe(
      registry.run('a', async () => {
        await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 900))
        nested = observe(registry.run('a', () => new Promise(() => {})))
        await nested.settled
      }),
    )
    const next = observe(registry.run('a', () => 'next'))
    await clock.advanceAsync(1_000)

    expect(outer.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(nested.error).toBe(outer.error)
    expect(next.value).toBe('next')
    expect(registry.stats().held).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('does not affect its turn when its own limit elapses', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000 })
    const gate = deferred()
    const left = observe(
      registry.run('a', async () => {
        registry.run('a', () => gate.promise)
        return 'left'
      }),
    )
    await left.settled
    expect(left.value).toBe('left')
    gate.resolve()
    await clock.advanceAsync(1_000)

    expect(registry.stats().held).toBe(0)
  })

  it('that is not awaited is still part of the turn: the next turn waits for it', async () => {
    const { registry } = clockedRegistry()
    const gate = deferred()
    const order: string[] = []
    const outer = registry.run('a', () => {
      registry.run('a', async () => {
        await gate.promise
        await registry.run('a', () => order.push('nested in the nested'))
        order.push('nested')
      })
    })
    const next = registry.run('a', () => order.push('next'))
    await outer
    await settle()
    expect(order).toEqual([])
    gate.resolve()
    await next

    expect(order).toEqual(['nested in the nested', 'nested', 'next'])
    expect(registry.stats().held).toBe(0)
  })

  it('waits in the queue if it is called after the turn has settled', async () => {
    const { registry } = clockedRegistry()
    const gate = deferred()
    const busy = deferred()
    let leftBehind: Promise<unknown> = Promise.resolve()
    await registry.run('a', () => {
      leftBehind = gate.promise.then(() => registry.run('a', () => 'left behind'))
    })
    const running = registry.run('a', () => busy.promise)
    const late = observe(leftBehind)
    gate.resolve()
    await settle()
    expect(late.state).toBe('pending')
    busy.resolve()
    await Promise.all([running, late.settled])

    expect(late.value).toBe('left behind')
  })

  it('joins the outer turn after a nested one has settled', async () => {
    const { registry } = clockedRegistry()
    const result = await registry.run('a', async () => {
      const gate = deferred()
      let leftBehind: Promise<unknown> = Promise.resolve()
      await registry.run('a', () => {
        leftBehind = gate.promise.then(() => registry.run('a', () => 'joined'))
      })
      gate.resolve()
      return leftBehind
    })

    expect(result).toBe('joined')
  })

  it('rejects with the reason of the end if the session was deleted', async () => {
    const { registry } = clockedRegistry()
    const nested = vi.fn()
    const outer = observe(
      registry.run('a', async () => {
        registry.delete('a')
        await registry.run('a', nested)
      }),
    )
    await outer.settled

    expect(outer.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(nested).not.toHaveBeenCalled()
  })

  it('is not assumed in a listener of a background sweep whose timer was armed in a turn', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100, maxTurnMs: 60_000 })
    const order: string[] = []
    registry.on('expired', () => {
      order.push('expired')
      void registry.run('a', () => order.push('turn of the listener'))
    })
    const end = deferred()
    const outer = registry.run('a', async () => {
      registry.set('b', [])
      await end.promise
      order.push('outer')
    })
    await clock.advanceAsync(2_000)
    expect(order).toEqual(['expired'])
    end.resolve()
    await outer
    await settle()

    expect(order).toEqual(['expired', 'outer', 'turn of the listener'])
  })

  it('of another registry: does not join', async () => {
    const { registry } = clockedRegistry()
    const other = clockedRegistry().registry
    const result = await registry.run('a', () => other.run('a', (session) => session.value.push('other')))

    expect(result).toBe(1)
    expect(registry.get('a')).toEqual([])
    expect(other.get('a')).toEqual(['other'])
  })
})
