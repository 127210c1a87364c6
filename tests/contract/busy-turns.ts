import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import { type ContractHarness, eventually } from './harness.ts'
import { startTurn } from './started-turn.ts'

export function describeBusyTurns(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) =>
    harness.make({ create: () => [], timeoutMs: 200 * unitMs, maxTurnMs: 100 * unitMs, ...options })

  it('reject: rejects while another turn runs', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')
    const turn = vi.fn()
    const second = observe(registry.run('a', turn, { whenBusy: 'reject' }))
    await second.settled

    expect(second.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    expect(turn).not.toHaveBeenCalled()
    first.finish()
    await first.run.settled
    expect(await registry.run('a', () => 'idle again', { whenBusy: 'reject' })).toBe('idle again')
  })

  it('interrupt: aborts the running turn’s signal, waits for it to settle, then runs ahead of waiting turns', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')
    const log: string[] = []
    const waiting = registry.run('a', () => log.push('waiting'))
    const interrupting = registry.run('a', () => log.push('interrupting'), { whenBusy: 'interrupt' })
    await eventually(harness, () => expect(first.signal.aborted).toBe(true))
    expect(log).toEqual([])
    first.finish()
    await Promise.all([waiting, interrupting])

    expect(log).toEqual(['interrupting', 'waiting'])
  })

  it('join: runs beside the running turn', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')

    expect(await registry.run('a', () => 'beside', { whenBusy: 'join' })).toBe('beside')
    expect(first.run.state).toBe('pending')
    first.finish()
    await first.run.settled
    expect(await registry.run('a', () => 'alone', { whenBusy: 'join' })).toBe('alone')
  })

  it('signal of a waiting turn: removes it from the queue', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')
    const controller = new AbortController()
    const reason = new Error('the visitor went away')
    const turn = vi.fn()
    const second = observe(registry.run('a', turn, { signal: controller.signal }))
    const third = registry.run('a', () => 'third')
    controller.abort(reason)
    await second.settled

    expect(second.error).toBe(reason)
    expect(first.run.state).toBe('pending')
    first.finish()
    expect(await third).toBe('third')
    expect(turn).not.toHaveBeenCalled()
  })

  it('signal of a running turn: aborts the turn’s signal', async () => {
    const registry = await make()
    const controller = new AbortController()
    const started = deferred()
    const run = observe(
      registry.run(
        'a',
        (_session, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
            started.resolve()
          }),
        { signal: controller.signal },
      ),
    )
    await started.promise
    const reason = new Error('the visitor went away')
    controller.abort(reason)
    await run.settled

    expect(run.error).toBe(reason)
    expect(await registry.run('a', () => 'next')).toBe('next')
  })

  it('signal that aborted before the call: the turn does not start', async () => {
    const registry = await make()
    const reason = new Error('too late')
    const turn = vi.fn()
    const run = observe(registry.run('a', turn, { signal: AbortSignal.abort(reason) }))
    await run.settled

    expect(run.error).toBe(reason)
    expect(turn).not.toHaveBeenCalled()
  })
}
