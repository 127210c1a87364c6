import { expect, it } from 'vitest'
import { ChannelRecorder, failedSteps, settledSteps } from '../support/channel-recorder.ts'
import { type ContractHarness, eventually } from './harness.ts'

export function describeWatchedHooks(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness

  it('a session that is not found: one load and one creation', async () => {
    const recorder = new ChannelRecorder('watched', ['created', 'load', 'create'])
    const registry = await harness.make({
      name: 'watched',
      create: async () => [],
      load: async () => undefined,
    })
    await Promise.all([registry.open('new'), registry.open('new')])

    expect(recorder.names).toEqual([...settledSteps('load'), ...settledSteps('create'), 'created'])
    const [created] = recorder.of('created')
    expect(created).not.toHaveProperty('loaded')
    expect(recorder.of('create:asyncEnd')).toEqual([{ registry: 'watched', ref: created?.ref }])
  })

  it('a factory that returns no promise: `start` and `end`, which says that it is over', async () => {
    const recorder = new ChannelRecorder('watched', ['create'])
    const registry = await harness.make({ name: 'watched', create: () => [] })
    await registry.open('new')

    expect(recorder.names).toEqual(['create:start', 'create:end'])
    expect(recorder.of('create:end')).toEqual([
      { registry: 'watched', ref: expect.any(String), settled: true },
    ])
  })

  it('a factory that throws: `error` before `end`, with the very error', async () => {
    const recorder = new ChannelRecorder('watched', ['create'])
    const failure = new Error('the factory is broken')
    const registry = await harness.make({
      name: 'watched',
      create: () => {
        throw failure
      },
    })
    await expect(registry.open('new')).rejects.toBe(failure)

    expect(recorder.names).toEqual(['create:start', 'create:error', 'create:end'])
    expect(recorder.of('create:end')[0]?.error).toBe(failure)
  })

  it('a load that fails: `error` before `asyncStart`, with the very error', async () => {
    const recorder = new ChannelRecorder('watched', ['load', 'create'])
    const failure = new Error('the database is away')
    const registry = await harness.make({
      name: 'watched',
      create: () => [],
      load: () => Promise.reject(failure),
    })
    await expect(registry.open('stored')).rejects.toBe(failure)

    expect(recorder.names).toEqual(failedSteps('load'))
    expect(recorder.of('load:error')[0]?.error).toBe(failure)
  })

  it('a load that is not wanted any more: fails when its caller leaves', async () => {
    const recorder = new ChannelRecorder('watched', ['load'])
    const registry = await harness.make({
      name: 'watched',
      create: () => [],
      load: (_id, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined))),
    })
    const leaving = new AbortController()
    const opened = registry.open('stored', { signal: leaving.signal })
    await eventually(harness, () => expect(recorder.names).toEqual(['load:start', 'load:end']))
    leaving.abort(new Error('the caller left'))
    await expect(opened).rejects.toThrow('the caller left')

    await eventually(harness, () => expect(recorder.names).toEqual(failedSteps('load')))
    expect(recorder.of('load:asyncEnd')[0]?.error).toBeInstanceOf(Error)
  })

  it('an archive: one trace for each attempt', async () => {
    const recorder = new ChannelRecorder('watched', ['archive', 'ended'])
    const failure = new Error('the database is away')
    let attempts = 0
    const registry = await harness.make({
      name: 'watched',
      timeoutMs: 2 * unitMs,
      archive: async () => {
        attempts += 1
        if (attempts === 1) throw failure
      },
    })
    await registry.set('ada', ['hello'])
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()

    await eventually(harness, () => expect(recorder.names).toContain('ended'))
    expect(recorder.names).toEqual([...failedSteps('archive'), ...settledSteps('archive'), 'ended'])
    const { ref, incarnation } = recorder.of('ended')[0] ?? {}
    const about = { registry: 'watched', ref, incarnation, reason: 'idle' }
    expect(recorder.of('archive:asyncEnd')).toEqual([
      { ...about, attempt: 1, error: failure },
      { ...about, attempt: 2 },
    ])
  })
}
