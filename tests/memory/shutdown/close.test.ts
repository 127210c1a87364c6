import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

function closable(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new FakeArchive('instant')
  return { store, ...clockedRegistry({ archive: store.archive, load: store.load, ...options }) }
}

describe('`close` without turns or archives', () => {
  it('ends every session before it returns, each with its own reason', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 10_000 })
    registry.set('over', [])
    clock.advance(1_000)
    registry.set('live', [])
    const report = registry.close()

    expect(events.take()).toEqual([
      'created over',
      'expired over idle',
      'ended over idle',
      'created live',
      'ended live closed',
    ])
    expect(registry.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(await report).toEqual({ ended: 1, archived: 0, failed: [] })
  })

  it('of an empty registry: reports nothing', async () => {
    expect(await clockedRegistry().registry.close()).toEqual({ ended: 0, archived: 0, failed: [] })
  })

  it('afterwards: reads find nothing and creating throws', async () => {
    const { registry, clock } = clockedRegistry()
    registry.set('a', [])
    await registry.close()

    expect(registry.get('a')).toBeUndefined()
    expect(registry.peek('a')).toBeUndefined()
    expect(registry.hold('a')).toBeUndefined()
    expect(registry.touch('a')).toBe(false)
    expect(registry.delete('a')).toBe(false)
    expect(registry.clear()).toBe(0)
    expect(registry.sweep()).toBe(0)
    expect([...registry]).toEqual([])
    expect(thrownBy(() => registry.getOrCreate('a', () => []))).toEqual(closed)
    expect(thrownBy(() => registry.set('a', []))).toEqual(closed)
    expect(await failureOf(() => registry.open('a'))).toEqual(closed)
    expect(await failureOf(() => registry.run('a', () => {}))).toEqual(closed)
    expect(await failureOf(() => registry.run('a', () => {}, { whenBusy: 'join' }))).toEqual(closed)
    expect(clock.pending).toBe(0)
  })

  it('`await using`: closes the registry', async () => {
    const { registry, events } = clockedRegistry()
    {
      await using sessions = registry
      sessions.set('a', [])
    }

    expect(events.take()).toEqual(['created a', 'ended a closed'])
  })

  it('with an invalid deadline: leaves the registry open', async () => {
    const { registry } = clockedRegistry()

    expect(await failureOf(() => registry.close({ deadlineMs: -1 }))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
    expect(registry.set('a', []).size).toBe(1)
  })
})

describe('`close` and turns', () => {
  it('waits for a turn until the deadline and the grace, and no longer', async () => {
    const { registry, clock, events } = clockedRegistry({ turnGraceMs: 200 })
    const turn = beginTurn(registry, 'a')
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(499)
    expect([turn.signal.aborted, turn.run.state, report.state]).toEqual([false, 'pending', 'pending'])
    expect(registry.get('a')).toEqual([])
    await clock.advanceAsync(200)
    expect([turn.signal.aborted, turn.run.state, report.state]).toEqual([true, 'pending', 'pending'])
    await clock.advanceAsync(1)

    expect(turn.run.error).toEqual(closed)
    expect(turn.signal.reason).toBe(turn.run.error)
    expect(report.value).toEqual({ ended: 1, archived: 0, failed: [] })
    expect(events.take()).toEqual(['created a', 'ended a closed'])
    turn.end.resolve('late')
    await settle()
    expect(registry.size).toBe(0)
  })

  it('deadline and grace: 10 seconds and 5 more by default', async () => {
    const { registry, clock } = clockedRegistry()
    const turn = beginTurn(registry, 'a')
    observe(registry.close())
    await clock.advanceAsync(9_999)
    expect(turn.signal.aborted).toBe(false)
    await clock.advanceAsync(1)
    expect(turn.signal.aborted).toBe(true)
    await clock.advanceAsync(4_999)
    expect(turn.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(turn.run.state).toBe('rejected')
  })

  it('deadline and grace of zero: aborts and releases turns as soon as timers run', async () => {
    const { registry, clock } = clockedRegistry({ turnGraceMs: 0 })
    const turn = beginTurn(registry, 'a')
    const report = observe(registry.close({ deadlineMs: 0 }))
    await clock.advanceAsync(0)

    expect(turn.run.error).toEqual(closed)
    expect(report.state).toBe('fulfilled')
  })

  it('deadline of infinity: waits as long as the turns take', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: Number.POSITIVE_INFINITY })
    const turn = beginTurn(registry, 'a')
    const report = observe(registry.close({ deadlineMs: Number.POSITIVE_INFINITY }))
    await clock.advanceAsync(60 * 24 * 3_600_000)
    expect(report.state).toBe('pending')
    turn.end.resolve('at last')
    await report.settled

    expect(turn.run.value).toBe('at last')
    expect(clock.pending).toBe(0)
  })

  it('ends each session as its last turn ends', async () => {
    const { registry, events } = clockedRegistry()
    const turns = [beginTurn(registry, 'a'), beginTurn(registry, 'b')]
    registry.set('c', [])
    const report = registry.close()
    expect(events.take().slice(3)).toEqual(['ended c closed'])
    for (const turn of turns) {
      turn.end.resolve('done')
      await turn.run.settled
    }

    expect(await report).toEqual({ ended: 3, archived: 0, failed: [] })
    expect(events.take()).toEqual(['ended a closed', 'ended b closed'])
  })

  it('refuses the turns that wait in a queue, for a load, for an archive, for capacity', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = closable({
      archive: store.archive,
      load: (id) => (id === 'loading' ? new Promise(() => {}) : store.load(id)),
      maxSessions: 2,
      timeoutMs: 1_000,
      maxTurnMs: 60_000,
    })
    const turn = beginTurn(registry.set('a', []), 'a')
    registry.set('b', [])
    clock.advance(1_000)
    registry.sweep()
    await settle()
    const waiting = ['a', 'loading', 'b', 'c'].map((id) => observe(registry.run(id, () => {})))
    waiting.push(observe(registry.open('d').then(() => {})))
    await settle()
    expect(waiting.map(({ state }) => state)).toEqual(Array(5).fill('pending'))
    const report = observe(registry.close())
    await settle()

    expect(waiting.map(({ error }) => error)).toEqual(Array(5).fill(closed))
    expect(turn.run.state).toBe('pending')
    turn.end.resolve('done')
    store.mode = 'instant'
    store.last.succeed()
    await report.settled
    expect(report.value).toMatchObject({ ended: 2, archived: 2 })
  })

  it('aborts a load once no call may wait for it', async () => {
    const signals: AbortSignal[] = []
    const { registry } = clockedRegistry({
      load: (_id, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    observe(registry.open('a'))
    await registry.close()

    expect(signals[0]?.reason).toEqual(closed)
  })

  it('accepts what joins a running turn, nested or concurrent, and nothing else', async () => {
    const { registry } = clockedRegistry()
    const turn = beginTurn(registry, 'a')
    const beside = beginTurn(registry, 'b', { whenBusy: 'join' })
    registry.set('c', [])
    const hold = registry.hold('c')
    const inner = observe(
      registry.run(
        'a',
        async () => {
          await settle()
          return registry.run('a', () => 'nested')
        },
        { whenBusy: 'join' },
      ),
    )
    const report = observe(registry.close())
    const join = { whenBusy: 'join' } as const

    expect(await registry.run('a', () => 'joined', join)).toBe('joined')
    expect(await registry.run('b', () => 'joined', join)).toBe('joined')
    expect(await failureOf(() => registry.run('c', () => {}, join))).toEqual(closed)
    expect(await failureOf(() => registry.run('a', () => {}))).toEqual(closed)
    expect(await failureOf(() => registry.run('d', () => {}, join))).toEqual(closed)
    await inner.settled
    expect(inner.value).toBe('nested')
    expect(report.state).toBe('pending')
    for (const { end } of [turn, beside]) end.resolve('done')
    hold?.release()
    await report.settled
  })

  it('releases holds at the deadline, without an error', async () => {
    const { registry, clock, events } = clockedRegistry()
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.set('a', [])
    const hold = registry.hold('a')
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(500)
    expect(report.state).toBe('fulfilled')
    hold?.release()

    expect(events.take()).toEqual(['created a', 'ended a closed'])
    expect(errors).toEqual([])
  })

  it('inside a turn that awaits it: refuses at once, and aborts that turn at the deadline', async () => {
    const { registry, clock } = clockedRegistry({ turnGraceMs: 100 })
    const turn = observe(registry.run('a', () => registry.close({ deadlineMs: 400 })))
    await settle()
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(closed)
    await clock.advanceAsync(500)

    expect(turn.error).toEqual(closed)
    expect(await registry.close()).toMatchObject({ ended: 1 })
  })

  it('inside a turn that does not await it: lets that turn finish', async () => {
    const { registry } = clockedRegistry()
    const turn = registry.run('a', async () => {
      registry.close()
      await settle()
      return registry.run('a', () => 'finished')
    })

    expect(await turn).toBe('finished')
    expect(await registry.close()).toMatchObject({ ended: 1 })
  })

  it('continues when the session of its last turn is deleted', async () => {
    const { registry } = clockedRegistry()
    beginTurn(registry, 'a')
    const report = registry.close()
    registry.delete('a')

    expect(await report).toEqual({ ended: 1, archived: 0, failed: [] })
  })
})
