import { expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { ManualLoad } from '../support/manual-load.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type ContractHarness, eventually, record } from './harness.ts'

export function describeClosing(harness: ContractHarness): void {
  const { unitMs } = harness
  const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')
  const make = () => harness.make({ create: () => [], timeoutMs: 200 * unitMs, maxTurnMs: 100 * unitMs })

  it('afterwards: creating is refused', async () => {
    const registry = await make()
    await registry.close()

    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(closed)
    expect(await failureOf(() => registry.set('a', []))).toEqual(closed)
    expect(await failureOf(() => registry.open('a'))).toEqual(closed)
    expect(await failureOf(() => registry.run('a', () => {}))).toEqual(closed)
  })

  it('a second call: returns the same promise', async () => {
    const registry = await make()
    const first = registry.close()

    expect(registry.close()).toBe(first)
    await first
    expect(registry.close()).toBe(first)
  })

  it('close: happens once, also if a load that it aborts calls it again', async () => {
    const store = new ManualLoad()
    const registry = await harness.make({ create: () => [], load: store.load, timeoutMs: 200 * unitMs })
    const opening = observe(registry.open('a'))
    await eventually(harness, () => store.at(0))
    const again: Promise<unknown>[] = []
    store.at(0).signal.addEventListener('abort', () => again.push(registry.close()))
    const first = registry.close()
    await Promise.all([first, opening.settled])

    expect(again).toHaveLength(1)
    expect(again[0]).toBe(first)
  })

  it('a running turn: finishes, and new ones are refused at once', async () => {
    const registry = await make()
    const started = deferred()
    const finish = deferred()
    const running = observe(
      registry.run('a', async () => {
        started.resolve()
        await finish.promise
        return 'finished'
      }),
    )
    await started.promise
    const closing = observe(registry.close({ deadlineMs: 50 * unitMs }))
    const late = observe(registry.run('a', () => {}))
    const other = observe(registry.open('b'))
    await Promise.all([late.settled, other.settled])
    expect(late.error).toEqual(closed)
    expect(other.error).toEqual(closed)
    expect(closing.state).toBe('pending')
    finish.resolve()
    await Promise.all([running.settled, closing.settled])

    expect(running.value).toBe('finished')
    expect(closing.state).toBe('fulfilled')
  })

  it('waiting turns: are refused', async () => {
    const registry = await make()
    const started = deferred()
    const finish = deferred()
    const running = registry.run('a', () => {
      started.resolve()
      return finish.promise
    })
    await started.promise
    const waiting = observe(registry.run('a', () => {}))
    const closing = registry.close({ deadlineMs: 50 * unitMs })
    await eventually(harness, () => expect(waiting.state).toBe('rejected'))
    expect(waiting.error).toEqual(closed)
    finish.resolve()
    await Promise.all([running, closing])
  })

  it('a run that joins a running turn: is accepted while closing', async () => {
    const registry = await make()
    const started = deferred()
    const goOn = deferred()
    const running = registry.run('a', async () => {
      started.resolve()
      await goOn.promise
      return registry.run('a', () => 'joined')
    })
    await started.promise
    const closing = registry.close({ deadlineMs: 50 * unitMs })
    goOn.resolve()

    expect(await running).toBe('joined')
    await closing
  })

  it('the deadline: aborts the turns that still run', async () => {
    const registry = await make()
    const started = deferred<AbortSignal>()
    const running = observe(
      registry.run('a', (_session, signal) => {
        started.resolve(signal)
        return new Promise(() => {})
      }),
    )
    const signal = await started.promise
    const closing = observe(registry.close({ deadlineMs: 5 * unitMs }))
    await harness.advance(2 * unitMs)
    expect(signal.aborted).toBe(false)
    await eventually(harness, () => expect(closing.state).toBe('fulfilled'))

    expect(signal.aborted).toBe(true)
    expect(running.state).toBe('rejected')
  })

  it('the deadline: aborts also what joins a turn in its grace', async () => {
    const registry = await make()
    const started = deferred<AbortSignal>()
    const finish = deferred()
    const running = registry.run('a', (_session, signal) => {
      started.resolve(signal)
      return finish.promise
    })
    const signal = await started.promise
    const closing = observe(registry.close({ deadlineMs: unitMs }))
    await eventually(harness, () => expect(signal.aborted).toBe(true))
    const joined = registry.run('a', (_session, { aborted }) => aborted, { whenBusy: 'join' })

    expect(await joined).toBe(true)
    finish.resolve()
    await running
    await eventually(harness, () => expect(closing.state).toBe('fulfilled'))
  })

  if (!harness.makes.closeEndsSessions) return

  it('every session: ends, and emits its end', async () => {
    const registry = await make()
    const lines = record(registry)
    await registry.set('a', [])
    await registry.set('b', [])
    const report = await registry.close()

    expect(report).toEqual({ ended: 2, archived: 0, failed: [] })
    expect(lines.slice(2).toSorted()).toEqual(['ended a closed', 'ended b closed'])
    expect(await registry.get('a')).toBeUndefined()
    expect(await harness.size(registry)).toBe(0)
  })
}
