import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const busy = sessionError('ERR_SESSION_BUSY')

describe('`waitMs`', () => {
  it('rejects a turn that has not begun exactly then, and removes it from the queue', async () => {
    const { registry, clock } = clockedRegistry()
    const running = beginTurn(registry, 'a')
    const turn = vi.fn()
    const run = observe(registry.run('a', turn, { waitMs: 500 }))
    await clock.advanceAsync(499)
    expect(run.state).toBe('pending')
    await clock.advanceAsync(1)
    expect(run.error).toEqual(busy)
    expect(registry.stats().waiting).toBe(0)
    running.end.resolve('done')
    await settle()

    expect(turn).not.toHaveBeenCalled()
    expect(registry.stats().held).toBe(0)
  })

  it('does not limit a turn that has begun', async () => {
    const { registry, clock } = clockedRegistry()
    const first = beginTurn(registry, 'a')
    const end = deferred<string>()
    const run = observe(registry.run('a', () => end.promise, { waitMs: 500 }))
    await clock.advanceAsync(499)
    first.end.resolve('done')
    await clock.advanceAsync(10_000)
    expect(run.state).toBe('pending')
    end.resolve('in time')
    await run.settled

    expect(run.value).toBe('in time')
  })

  it('limits the wait for a load, which is aborted when the last call leaves', async () => {
    const signals: AbortSignal[] = []
    const { registry, clock } = clockedRegistry({
      load: (_id, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const runs = [100, 200].map((waitMs) => observe(registry.run('a', () => {}, { waitMs })))
    await clock.advanceAsync(100)
    expect([runs[0]?.error, runs[1]?.state, signals[0]?.aborted]).toEqual([busy, 'pending', false])
    await clock.advanceAsync(100)

    expect(runs[1]?.error).toEqual(busy)
    expect(signals[0]?.aborted).toBe(true)
  })

  it('limits the wait for a load and for a turn together', async () => {
    const loaded = deferred<string[]>()
    const { registry, clock } = clockedRegistry({ load: () => loaded.promise })
    const first = observe(registry.run('a', () => new Promise(() => {})))
    const second = observe(registry.run('a', () => {}, { waitMs: 500 }))
    await clock.advanceAsync(300)
    loaded.resolve([])
    await clock.advanceAsync(199)
    expect([first.state, second.state]).toEqual(['pending', 'pending'])
    await clock.advanceAsync(1)

    expect(second.error).toEqual(busy)
  })

  it('limits the wait for an archive', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: store.archive,
      load: store.load,
    })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    await settle()
    const run = observe(registry.run('a', () => {}, { waitMs: 500 }))
    await clock.advanceAsync(500)

    expect(run.error).toEqual(busy)
  })

  it('limits an interrupt, although the running turn’s signal was aborted', async () => {
    const { registry, clock } = clockedRegistry()
    const running = beginTurn(registry, 'a')
    const run = observe(registry.run('a', () => {}, { whenBusy: 'interrupt', waitMs: 500 }))
    await clock.advanceAsync(500)

    expect(run.error).toEqual(busy)
    expect(running.signal.aborted).toBe(true)
  })

  it.each(['wait', 'reject', 'interrupt'] as const)('0 is `reject`, with `%s`', async (whenBusy) => {
    const { registry, clock } = clockedRegistry()
    const running = beginTurn(registry, 'a')
    const run = observe(registry.run('a', () => {}, { whenBusy, waitMs: 0 }))
    await run.settled

    expect(run.error).toEqual(busy)
    expect(running.signal.aborted).toBe(false)
    running.end.resolve('done')
    await running.run.settled
    expect(await registry.run('a', () => 'free', { whenBusy, waitMs: 0 })).toBe('free')
    expect(clock.pending).toBe(1)
  })

  it('0: waits for a load, as `reject` does, and joins as `join` does', async () => {
    const { registry } = clockedRegistry({ load: async () => ['loaded'] })
    expect(await registry.run('a', (session) => session.value, { waitMs: 0 })).toEqual(['loaded'])
    beginTurn(registry, 'a')

    expect(await registry.run('a', () => 'beside', { whenBusy: 'join', waitMs: 0 })).toBe('beside')
  })

  it('a nested run joins at once', async () => {
    const { registry } = clockedRegistry()

    expect(await registry.run('a', () => registry.run('a', () => 'nested', { waitMs: 0 }))).toBe('nested')
  })

  it('infinity starts no timer', () => {
    const { registry, clock } = clockedRegistry({
      timeoutMs: Number.POSITIVE_INFINITY,
      maxTurnMs: Number.POSITIVE_INFINITY,
    })
    beginTurn(registry, 'a')
    observe(registry.run('a', () => {}, { waitMs: Number.POSITIVE_INFINITY }))

    expect(clock.pending).toBe(0)
  })

  it('of a stream: counts from the first `next()`', async () => {
    const { registry, clock } = clockedRegistry()
    beginTurn(registry, 'a')
    const components = registry.stream(
      'a',
      async function* () {
        yield 1
      },
      { waitMs: 500 },
    )
    await clock.advanceAsync(1_000)
    const next = observe(components.next())
    await clock.advanceAsync(499)
    expect(next.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(next.error).toEqual(busy)
  })

  it.each([-1, Number.NaN, '5', null])('of %s: is refused', async (waitMs) => {
    const { registry } = clockedRegistry()
    const run = observe(registry.run('a', () => {}, { waitMs } as object))
    await run.settled

    expect(run.error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})
