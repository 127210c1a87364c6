import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type ContractHarness, eventually } from './harness.ts'
import { startTurn } from './started-turn.ts'

const timeout = sessionError('ERR_SESSION_TURN_TIMEOUT')

/** Fulfils when the signal aborts. */
const aborted = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

/** The limits of turns and of their queue: what a turn that obeys them must not lose. */
export function describeTurnBounds(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) =>
    harness.make({
      create: () => [],
      timeoutMs: 200 * unitMs,
      maxTurnMs: 4 * unitMs,
      turnGraceMs: 20 * unitMs,
      ...options,
    })

  it('turnGraceMs: a turn that obeys its signal in time loses nothing, and the next one waits for it', async () => {
    const registry = await make()
    const obeys = registry.run('a', async (session, signal) => {
      session.value.push('question')
      await aborted(signal)
      await harness.advance(unitMs)
      await registry.run('a', (nested) => nested.value.push('it took too long'))
      return signal.reason
    })
    const next = observe(registry.run('a', (session) => [...session.value]))
    await eventually(harness, () => expect(next.state).not.toBe('pending'))

    expect(await obeys).toEqual(timeout)
    expect(next.value).toEqual(['question', 'it took too long'])
    expect(await registry.stats()).toMatchObject({ turnTimeouts: 1, running: 0, waiting: 0 })
  })

  it('turnGraceMs: a turn that does not obey is released when it ends, and not before', async () => {
    const registry = await make({ turnGraceMs: 4 * unitMs })
    const first = await startTurn(registry, 'a', 'late')
    const next = observe(registry.run('a', (session) => [...session.value]))
    await eventually(harness, () => expect(first.signal.aborted).toBe(true))
    expect([first.run.state, next.state]).toEqual(['pending', 'pending'])
    await eventually(harness, () => expect(first.run.state).toBe('rejected'))
    await next.settled

    expect(first.run.error).toEqual(timeout)
    expect(next.value).toEqual([])
    first.finish()
  })

  it('late turn: its calls of its own id are refused until it has settled', async () => {
    const registry = await make({ turnGraceMs: 0 })
    const gate = deferred()
    const errors: unknown[] = []
    const nested = vi.fn()
    const ended = deferred()
    const late = observe(
      registry.run('a', async () => {
        await gate.promise
        errors.push(await failureOf(() => registry.run('a', nested)))
        errors.push(await failureOf(() => registry.open('a')))
        ended.resolve()
      }),
    )
    await eventually(harness, () => expect(late.state).toBe('rejected'))
    gate.resolve()
    await ended.promise

    expect(errors).toEqual([late.error, late.error])
    expect(nested).not.toHaveBeenCalled()
  })

  it('maxTurnMs: the signal aborts in the context of the turn', async () => {
    const registry = await make({ maxTurnMs: 100 * unitMs })
    const requests = new AsyncLocalStorage<string>()
    const seen = requests.run('turn', () =>
      registry.run('a', (_session, signal) => {
        const context = new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(requests.getStore()))
        })
        observe(requests.run('another', () => registry.delete('a')) as Promise<boolean>)
        return context
      }),
    )
    const outcome = observe(seen)
    await eventually(harness, () => expect(outcome.state).not.toBe('pending'))
    if (outcome.state === 'fulfilled') expect(outcome.value).toBe('turn')
    else expect(outcome.error).toEqual(sessionError('ERR_SESSION_ENDED'))
  })

  it('maxWaiting: one turn more than may wait is refused', async () => {
    const registry = await make({ maxTurnMs: 100 * unitMs, maxWaiting: 2 })
    const first = await startTurn(registry, 'a')
    const runs = [1, 2, 3].map((name) => observe(registry.run('a', () => name)))
    await runs[2]?.settled
    expect(runs.map(({ error }) => error)).toEqual([
      undefined,
      undefined,
      sessionError('ERR_SESSION_QUEUE_FULL'),
    ])
    expect(await registry.stats()).toMatchObject({ running: 1, waiting: 2 })
    first.finish()
    await Promise.all(runs.map(({ settled }) => settled))

    expect(runs.map(({ value }) => value)).toEqual([1, 2, undefined])
  })

  it('maxWaiting: counts turns that wait for a load, all but the first', async () => {
    const loaded = deferred<string[]>()
    const registry = await make({ maxWaiting: 1, load: () => loaded.promise })
    const runs = [1, 2, 3].map((name) => observe(registry.run('a', () => name)))
    await runs[2]?.settled
    expect(runs[2]?.error).toEqual(sessionError('ERR_SESSION_QUEUE_FULL'))
    loaded.resolve(['loaded'])
    await Promise.all(runs.map(({ settled }) => settled))

    expect(runs.map(({ value }) => value)).toEqual([1, 2, undefined])
  })

  it('waitMs: a turn that has not begun then is refused, and does not run', async () => {
    const registry = await make({ maxTurnMs: 100 * unitMs })
    const first = await startTurn(registry, 'a')
    const turn = vi.fn()
    const run = observe(registry.run('a', turn, { waitMs: 3 * unitMs }))
    await harness.advance(unitMs)
    expect(run.state).toBe('pending')
    await eventually(harness, () => expect(run.state).toBe('rejected'))
    expect(run.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    first.finish()
    await first.run.settled

    expect(await registry.run('a', () => 'in time', { waitMs: 20 * unitMs })).toBe('in time')
    expect(turn).not.toHaveBeenCalled()
  })

  it('waitMs: limits the wait for a load', async () => {
    const registry = await make({ load: () => new Promise<undefined>(() => {}) })
    const run = observe(registry.run('a', () => {}, { waitMs: 2 * unitMs }))
    await eventually(harness, () => expect(run.state).toBe('rejected'))

    expect(run.error).toEqual(sessionError('ERR_SESSION_BUSY'))
  })

  it('waitMs 0: is `reject`', async () => {
    const registry = await make({ maxTurnMs: 100 * unitMs })
    const first = await startTurn(registry, 'a')
    const run = observe(registry.run('a', () => {}, { waitMs: 0 }))
    await run.settled

    expect(run.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    expect(await registry.run('a', () => 'beside', { waitMs: 0, whenBusy: 'join' })).toBe('beside')
    first.finish()
    await first.run.settled
    expect(await registry.run('a', () => 'free', { waitMs: 0 })).toBe('free')
  })

  it('close: gives a turn its grace after the deadline, and keeps what it writes in it', async () => {
    const registry = await make({ maxTurnMs: 100 * unitMs })
    const turn = observe(
      registry.run('a', async (session, signal) => {
        await aborted(signal)
        await registry.run('a', (nested) => nested.value.push('interrupted by a restart'))
        return [...session.value]
      }),
    )
    await eventually(harness, async () => expect((await registry.stats()).running).toBe(1))
    const closed = observe(registry.close({ deadlineMs: unitMs }))
    await eventually(harness, () => expect(closed.state).toBe('fulfilled'))

    expect(turn.value).toEqual(['interrupted by a restart'])
  })
}
