import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { ChannelRecorder, failedSteps, settledSteps } from '../support/channel-recorder.ts'
import { deferred } from '../support/deferred.ts'
import { type ContractHarness, eventually } from './harness.ts'

export function describeWatchedTurns(harness: ContractHarness): void {
  const { unitMs } = harness

  it('a turn: one message object from its begin until it has settled', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    const session = await registry.run('ada', async (given) => {
      expect(recorder.names).toEqual(['turn:start'])
      await wait(1)
      expect(recorder.names).toEqual(['turn:start', 'turn:end'])
      return { ref: registry.current()?.ref, incarnation: given.incarnation }
    })

    expect(recorder.names).toEqual(settledSteps('turn'))
    const [first, ...others] = recorder.publications.map(({ message }) => message)
    for (const other of others) expect(other).toBe(first)
    expect(first).toEqual({
      registry: 'watched',
      ...session,
      whenBusy: 'wait',
      waitedMs: expect.any(Number),
    })
  })

  it('a turn that fails: published with the very error', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    const failure = new Error('the model is away')
    const rejected = registry.run('ada', () => Promise.reject(failure))
    await expect(rejected).rejects.toBe(failure)
    const thrown = registry.run('ada', () => {
      throw failure
    })
    await expect(thrown).rejects.toBe(failure)

    expect(recorder.names).toEqual([...failedSteps('turn'), ...failedSteps('turn')])
    expect(recorder.of('turn:error').map(({ error }) => error)).toEqual([failure, failure])
  })

  it('a turn that waits: begins after the one before has been published, with the time that it waited', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    const blocked = deferred<void>()
    const first = registry.run('ada', () => blocked.promise)
    await eventually(harness, () => expect(recorder.names).toContain('turn:start'))
    const second = registry.run('ada', () => {}, { whenBusy: 'interrupt' })
    await harness.advance(2 * unitMs)
    blocked.resolve()
    await Promise.all([first, second])

    expect(recorder.names).toEqual([...settledSteps('turn'), ...settledSteps('turn')])
    const [, later] = recorder.of('turn:start')
    expect(later?.whenBusy).toBe('interrupt')
    expect(later?.waitedMs).toBeGreaterThanOrEqual(2 * unitMs - 5)
  })

  it('a turn that leaves the queue: not published', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    const blocked = deferred<void>()
    const first = registry.run('ada', () => blocked.promise)
    await eventually(harness, () => expect(recorder.names).toContain('turn:start'))
    const leaving = new AbortController()
    const second = registry.run('ada', () => {}, { signal: leaving.signal })
    leaving.abort(new Error('the caller left'))
    await expect(second).rejects.toThrow('the caller left')
    blocked.resolve()
    await first

    expect(recorder.names).toEqual(settledSteps('turn'))
  })

  it('a nested run: a turn of its own, within the outer one', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    await registry.run('ada', async () => {
      await registry.run('ada', async () => {})
    })

    const [outer, inner] = recorder.of('turn:start')
    expect(recorder.of('turn:asyncEnd')).toEqual([inner, outer])
    expect(inner?.incarnation).toBe(outer?.incarnation)
    expect([outer?.nested, inner?.nested]).toEqual([undefined, true])
  })

  it('a turn that overruns its grace: ends with the error of its run', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({
      name: 'watched',
      maxTurnMs: 2 * unitMs,
      turnGraceMs: 0,
      create: () => [],
    })
    const late = registry.run('ada', () => new Promise(() => {}))
    const rejected = expect(late).rejects.toMatchObject({ code: 'ERR_SESSION_TURN_TIMEOUT' })
    await eventually(harness, () => expect(recorder.names).toEqual(failedSteps('turn')))
    await rejected

    expect(recorder.of('turn:asyncEnd')[0]?.error).toMatchObject({ code: 'ERR_SESSION_TURN_TIMEOUT' })
  })

  it('a stream: one turn until it has been read', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    const parts = registry.stream('ada', async function* () {
      yield 1
      yield 2
    })
    expect(recorder.names).toEqual([])
    await parts.next()
    await parts.next()
    expect(recorder.names).toEqual(['turn:start', 'turn:end'])
    await parts.next()

    expect(recorder.names).toEqual(settledSteps('turn'))
  })

  it('a store bound to `start`: is there in the turn, and when its end is published', async () => {
    const storage = new AsyncLocalStorage<string>()
    const start = channel('tracing:session-registry:turn:start')
    start.bindStore(storage, (message) => `turn of ${(message as { registry: string }).registry}`)
    onTestFinished(() => {
      start.unbindStore(storage)
    })
    const stores: unknown[] = []
    new ChannelRecorder('watched', ['turn'], (name) => stores.push(`${name} ${storage.getStore()}`))
    const registry = await harness.make({ name: 'watched', create: () => [] })
    await registry.run('ada', async () => {
      stores.push(`body ${storage.getStore()}`)
      await wait(1)
      stores.push(`later ${storage.getStore()}`)
    })

    const within = 'turn of watched'
    expect(stores).toEqual([
      `turn:start ${within}`,
      `body ${within}`,
      `turn:end ${within}`,
      `later ${within}`,
      `turn:asyncStart ${within}`,
      `turn:asyncEnd ${within}`,
    ])
    expect(storage.getStore()).toBeUndefined()
  })
}
