import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChannelRecorder } from '../../support/channel-recorder.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeDispose } from '../../support/fake-dispose.ts'
import { settle } from '../../support/settle.ts'

/** A registry that nothing observes, so that creations take the fast path. */
function unobserved(create: (id: string) => string[] | Promise<string[]> = () => []) {
  return new SessionRegistry<string[]>({ name: 'watched', create })
}

describe('a creation on the fast path', () => {
  it('a subscriber of `created` that comes and goes: gets what is created in between', () => {
    const registry = unobserved()
    for (let number = 0; number < 10; number += 1) registry.getOrCreate(`before ${number}`)
    const refs: string[] = []
    const subscriber = (message: unknown) => refs.push((message as { ref: string }).ref)
    channel('session-registry:created').subscribe(subscriber)
    registry.getOrCreate('between')
    registry.getOrCreate('between')
    registry.set('set', [])
    channel('session-registry:created').unsubscribe(subscriber)
    registry.getOrCreate('after')

    expect(refs).toEqual([registry.ref('between'), registry.ref('set')])
    expect(registry.stats()).toMatchObject({ created: 13, size: 13 })
  })

  it('a subscriber that the factory adds: gets the session of that factory', () => {
    let recorder: ChannelRecorder | undefined
    const registry = unobserved(() => {
      recorder ??= new ChannelRecorder('watched', ['created'])
      return []
    })
    registry.getOrCreate('ada')

    expect(recorder?.names).toEqual(['created'])
    expect(registry.stats()).toMatchObject({ created: 1, size: 1, misses: 1 })
  })

  it('a session that was created unobserved: its end is published', () => {
    const registry = unobserved()
    registry.getOrCreate('ada')
    const recorder = new ChannelRecorder('watched', ['ended'])
    registry.delete('ada')

    expect(recorder.of('ended')).toEqual([expect.objectContaining({ ref: registry.ref('ada') })])
  })

  it('the factory: one trace, which is over at `end`', () => {
    const registry = unobserved()
    registry.getOrCreate('before')
    const recorder = new ChannelRecorder('watched', ['create', 'created'])
    registry.getOrCreate('ada', () => ['own'])
    registry.getOrCreate('ada')

    expect(recorder.names).toEqual(['create:start', 'create:end', 'created'])
    expect(recorder.of('create:end')).toEqual([
      { registry: 'watched', ref: registry.ref('ada'), settled: true },
    ])
    expect(registry.get('ada')).toEqual(['own'])
  })

  it('a factory that throws: is published with its error, and leaves nothing behind', () => {
    const failure = new Error('the factory is broken')
    const registry = unobserved(() => {
      throw failure
    })
    const recorder = new ChannelRecorder('watched', ['create', 'created'])
    expect(() => registry.getOrCreate('ada')).toThrow(failure)

    expect(recorder.names).toEqual(['create:start', 'create:error', 'create:end'])
    expect(recorder.of('create:end')[0]?.error).toBe(failure)
    expect(registry.size).toBe(0)
  })

  it('a store bound to `start`: is there in the factory', () => {
    const storage = new AsyncLocalStorage<string>()
    const start = channel('tracing:session-registry:create:start')
    start.bindStore(storage, () => 'creation')
    onTestFinished(() => {
      start.unbindStore(storage)
    })
    const registry = new SessionRegistry({ create: () => storage.getStore() })

    expect(registry.getOrCreate('ada')).toBe('creation')
    expect(storage.getStore()).toBeUndefined()
  })

  it('a factory of `getOrCreate` that returns a promise: one trace until that settles', async () => {
    const made = deferred<string[]>()
    const registry = unobserved(() => made.promise)
    const recorder = new ChannelRecorder('watched', ['create', 'created'])
    expect(() => registry.getOrCreate('ada')).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_NEEDS_OPEN' }),
    )
    expect(recorder.names).toEqual(['create:start', 'create:end'])
    made.resolve(['made'])
    await settle()

    expect(recorder.names).toEqual([
      'create:start',
      'create:end',
      'create:asyncStart',
      'create:asyncEnd',
      'created',
    ])
  })

  it('a factory of `getOrCreate` whose promise rejects: fails with the very error', async () => {
    const failure = new Error('the browser does not start')
    const registry = unobserved(() => Promise.reject(failure))
    registry.on('error', () => {})
    const recorder = new ChannelRecorder('watched', ['create'])
    expect(() => registry.getOrCreate('ada')).toThrow()
    await settle()

    expect(recorder.names.slice(2)).toEqual(['create:error', 'create:asyncStart', 'create:asyncEnd'])
    expect(recorder.of('create:error')[0]?.error).toBe(failure)
  })
})

describe('a creation that waits', () => {
  it('is not wanted any more: fails with the reason, and the value that comes is disposed of', async () => {
    const recorder = new ChannelRecorder('watched', ['create', 'created', 'dispose'])
    const made = deferred<string[]>()
    const disposer = new FakeDispose('sync')
    const { registry } = clockedRegistry({
      name: 'watched',
      create: () => made.promise,
      dispose: disposer.dispose,
    })
    const opened = registry.open('ada')
    registry.set('ada', ['set'])
    await expect(opened).resolves.toEqual(['set'])
    expect(recorder.names).toEqual([
      'create:start',
      'create:end',
      'created',
      'create:error',
      'create:asyncStart',
      'create:asyncEnd',
    ])
    made.resolve(['late'])
    await settle()

    expect(recorder.names.slice(6)).toEqual(['dispose:start', 'dispose:end'])
    expect(recorder.of('create:error')[0]?.error).toMatchObject({ name: 'AbortError' })
    // The value never was a session's.
    expect(recorder.of('dispose:end')).toEqual([
      { registry: 'watched', ref: registry.ref('ada'), reason: 'replaced', settled: true },
    ])
  })

  it('takes too long: fails with the error of its callers', async () => {
    const recorder = new ChannelRecorder('watched', ['create'])
    const { clock, registry } = clockedRegistry({
      name: 'watched',
      create: () => new Promise<never>(() => {}),
      loadTimeoutMs: 1_000,
    })
    const opened = expect(registry.open('ada')).rejects.toMatchObject({ code: 'ERR_SESSION_LOAD_TIMEOUT' })
    await clock.advanceAsync(1_000)
    await opened

    expect(recorder.names.slice(2)).toEqual(['create:error', 'create:asyncStart', 'create:asyncEnd'])
    expect(recorder.of('create:error')[0]?.error).toMatchObject({ code: 'ERR_SESSION_LOAD_TIMEOUT' })
  })

  it('many calls for one id: one trace', async () => {
    const recorder = new ChannelRecorder('watched', ['create', 'turn'])
    const { registry } = clockedRegistry({ name: 'watched', create: async () => [] })
    await Promise.all(Array.from({ length: 100 }, () => registry.run('ada', () => {})))

    expect(recorder.of('create:start')).toHaveLength(1)
    expect(recorder.of('turn:asyncEnd')).toHaveLength(100)
  })
})
