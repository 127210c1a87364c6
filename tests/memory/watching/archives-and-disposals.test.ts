import { AsyncLocalStorage } from 'node:async_hooks'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { ChannelRecorder } from '../../support/channel-recorder.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { settle } from '../../support/settle.ts'

describe('the traces of archives', () => {
  it('a hook that takes too long: fails with the error of the attempt', async () => {
    const recorder = new ChannelRecorder('watched', ['archive'])
    const archive = new FakeArchive('manual')
    const { clock, registry } = clockedRegistry({
      name: 'watched',
      timeoutMs: 1_000,
      archive: archive.archive,
      archiveTimeoutMs: 500,
    })
    registry.set('ada', ['hello'])
    await clock.advanceAsync(1_000)
    registry.sweep()
    await clock.advanceAsync(500)

    expect(recorder.names).toEqual([
      'archive:start',
      'archive:end',
      'archive:error',
      'archive:asyncStart',
      'archive:asyncEnd',
    ])
    expect(recorder.of('archive:asyncEnd')[0]).toMatchObject({
      reason: 'idle',
      attempt: 1,
      error: { code: 'ERR_SESSION_ARCHIVE_FAILED' },
    })
    archive.last.succeed()
    await settle()
    expect(recorder.names).toHaveLength(5)
  })

  it('a session that is deleted meanwhile: fails at once, with the reason of the abort', async () => {
    const recorder = new ChannelRecorder('watched', ['archive', 'ended'])
    const archive = new FakeArchive('manual')
    const { clock, registry } = clockedRegistry({
      name: 'watched',
      timeoutMs: 1_000,
      archive: archive.archive,
    })
    registry.set('ada', ['hello'])
    clock.advance(1_000)
    registry.sweep()
    expect(recorder.names).toEqual(['archive:start', 'archive:end'])
    registry.delete('ada')

    expect(recorder.names.slice(2)).toEqual([
      'ended',
      'archive:error',
      'archive:asyncStart',
      'archive:asyncEnd',
    ])
    expect(recorder.of('archive:error')[0]?.error).toBe(archive.last.signal.reason)
    archive.last.succeed()
    await settle()
    expect(recorder.names).toHaveLength(6)
  })

  it('a hook that deletes its own session: `end` comes before the failure', async () => {
    const recorder = new ChannelRecorder('watched', ['archive', 'ended'])
    const clock = new ManualClock()
    const registry = new SessionRegistry<string[]>({
      name: 'watched',
      clock,
      timeoutMs: 1_000,
      archive: async ({ id }) => {
        registry.delete(id)
      },
    })
    registry.set('ada', ['hello'])
    clock.advance(1_000)
    registry.sweep()
    await settle()

    const traced = recorder.names.filter((name) => name !== 'ended')
    expect(traced).toEqual([
      'archive:start',
      'archive:end',
      'archive:error',
      'archive:asyncStart',
      'archive:asyncEnd',
    ])
    expect(recorder.of('archive:error')[0]?.error).toMatchObject({ code: 'ERR_SESSION_ENDED' })
    expect(recorder.of('ended')).toEqual([expect.objectContaining({ reason: 'deleted' })])
  })

  it('runs in the context in which the registry was constructed', async () => {
    const visitor = new AsyncLocalStorage<string>()
    const ran: string[] = []
    new ChannelRecorder('watched', ['archive'], (name) => ran.push(`${name} in ${visitor.getStore()}`))
    const clock = new ManualClock()
    const registry = visitor.run(
      'constructor',
      () =>
        new SessionRegistry<string[]>({
          name: 'watched',
          clock,
          timeoutMs: 1_000,
          intervalMs: 1_000,
          archive: async () => {},
        }),
    )
    visitor.run('ada', () => registry.set('ada', ['hello']))
    await visitor.run('clock', () => clock.advanceAsync(2_000))

    expect(ran).toEqual(
      ['start', 'end', 'asyncStart', 'asyncEnd'].map((part) => `archive:${part} in constructor`),
    )
  })
})

describe('the traces of disposals', () => {
  it('a hook that returns a promise: one trace, before `ended`', async () => {
    const recorder = new ChannelRecorder('watched', ['dispose', 'ended'])
    const { registry, disposer } = disposingRegistry({ name: 'watched' })
    registry.getOrCreate('ada')
    const incarnation = registry.peek('ada')?.incarnation
    registry.delete('ada')
    expect(recorder.names).toEqual(['dispose:start', 'dispose:end'])
    disposer.at(0).resolve()
    await settle()

    expect(recorder.names).toEqual([
      'dispose:start',
      'dispose:end',
      'dispose:asyncStart',
      'dispose:asyncEnd',
      'ended',
    ])
    expect(recorder.of('dispose:asyncEnd')).toEqual([
      { registry: 'watched', ref: registry.ref('ada'), incarnation, reason: 'deleted' },
    ])
  })

  it('a hook that returns none: is over at `end`', () => {
    const recorder = new ChannelRecorder('watched', ['dispose', 'ended'])
    const { registry } = disposingRegistry({ name: 'watched', mode: 'sync' })
    registry.getOrCreate('ada')
    registry.delete('ada')

    expect(recorder.names).toEqual(['dispose:start', 'dispose:end', 'ended'])
    expect(recorder.of('dispose:end')[0]).toMatchObject({ reason: 'deleted', settled: true })
  })

  it('a hook that throws: fails with the very error', () => {
    const recorder = new ChannelRecorder('watched', ['dispose', 'error', 'ended'])
    const { registry, disposer } = disposingRegistry({ name: 'watched', mode: 'throwing' })
    registry.getOrCreate('ada')
    registry.delete('ada')

    expect(recorder.names).toEqual(['dispose:start', 'dispose:error', 'dispose:end', 'error', 'ended'])
    expect(recorder.of('dispose:error')[0]?.error).toBe(disposer.failure)
    expect(recorder.of('error')[0]?.error).toMatchObject({
      code: 'ERR_SESSION_DISPOSE_FAILED',
      cause: disposer.failure,
    })
  })

  it('every value, whatever ended it', () => {
    const recorder = new ChannelRecorder('watched', ['dispose'])
    const { clock, registry } = disposingRegistry({ name: 'watched', mode: 'sync', maxSessions: 2 })
    registry.getOrCreate('idle')
    clock.advance(1_000)
    registry.sweep()
    registry.getOrCreate('evicted')
    registry.getOrCreate('kept')
    registry.getOrCreate('deleted')
    registry.delete('deleted')
    registry.replace('kept', ['replaced'])

    expect(recorder.of('dispose:end').map(({ reason }) => reason)).toEqual([
      'idle',
      'capacity',
      'deleted',
      'replaced',
    ])
  })
})
