import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')
const full = sessionError('ERR_SESSION_REGISTRY_FULL')

function creating(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const making = new ManualCreate()
  const made = clockedRegistry({ create: making.create, ...options })
  const errors: unknown[] = []
  made.registry.on('error', (error) => errors.push(error))
  return { making, errors, ...made }
}

describe('`getOrCreate` with an asynchronous `create`', () => {
  it('throws, and what was begun goes on: the session is there when the value is', async () => {
    const { registry, making, events } = creating()
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(registry.has('a')).toBe(false)
    making.at(0).resolve(['made'])
    await settle()

    expect(registry.getOrCreate('a')).toEqual(['made'])
    expect(events.take()).toEqual(['created a'])
    expect(making.calls).toHaveLength(1)
  })

  it('does the same for the own `create` of the call', async () => {
    const { registry, making } = creating()
    const create = (async () => ['own']) as never
    expect(thrownBy(() => registry.getOrCreate('a', create))).toEqual(needsOpen)
    await settle()

    expect(registry.get('a')).toEqual(['own'])
    expect(making.calls).toEqual([])
  })

  it('shares what was begun with `open` and `run`', async () => {
    const { registry, making } = creating()
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    const opened = observe(registry.open('a'))
    const ran = observe(registry.run('a', ({ value }) => value))
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    making.at(0).resolve(['made'])
    await settle()

    expect([opened.value, ran.value]).toEqual([['made'], ['made']])
    expect(making.calls).toHaveLength(1)
  })

  it('throws while `open` has one made, and calls no factory of its own', async () => {
    const { registry, making } = creating()
    const opened = observe(registry.open('a'))
    const create = vi.fn(() => ['own'])
    expect(thrownBy(() => registry.getOrCreate('a', create))).toEqual(needsOpen)
    making.at(0).resolve(['made'])
    await settle()

    expect(create).not.toHaveBeenCalled()
    expect(opened.value).toEqual(['made'])
    expect(registry.getOrCreate('a', create)).toEqual(['made'])
  })

  it('a failure is an `error` event: that very error, logged with the session', async () => {
    const logger = new RecordingLogger()
    const { registry, making, errors } = creating({ logger, logIds: 'plain' })
    const failure = new Error('no browser')
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    making.at(0).reject(failure)
    await settle()

    expect(errors).toEqual([failure])
    expect(errors[0]).toBe(failure)
    expect(logger.at('error')).toEqual([
      {
        level: 'error',
        message: 'a session could not be created',
        fields: { registry: 'sessions', session: 'a', err: failure },
      },
    ])
    expect(registry.stats()).toMatchObject({ size: 0, created: 0, listenerErrors: 0 })
  })

  it('a failure rejects those who have joined, too', async () => {
    const { registry, making, errors } = creating()
    const failure = new Error('no browser')
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    const opened = observe(registry.open('a'))
    making.at(0).reject(failure)
    await settle()

    expect([opened.error, errors]).toEqual([failure, [failure]])
  })

  it('a failure may be tried again', async () => {
    const { registry, making } = creating()
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    making.at(0).reject(new Error('no browser'))
    await settle()
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    making.at(1).resolve(['made'])
    await settle()

    expect(registry.get('a')).toEqual(['made'])
  })

  it('what it began is aborted by no caller that leaves', async () => {
    const { registry, making } = creating()
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    const controller = new AbortController()
    const opened = observe(registry.open('a', { signal: controller.signal }))
    controller.abort('gone')
    await settle()
    expect([opened.error, making.at(0).signal.aborted]).toEqual(['gone', false])
    making.at(0).resolve(['made'])
    await settle()

    expect(registry.get('a')).toEqual(['made'])
  })

  it('what it began has `loadTimeoutMs`', async () => {
    const { registry, making, errors, clock } = creating({ loadTimeoutMs: 700 })
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    await clock.advanceAsync(699)
    expect(errors).toEqual([])
    await clock.advanceAsync(1)

    expect(errors).toEqual([sessionError('ERR_SESSION_LOAD_TIMEOUT')])
    expect(making.at(0).signal.aborted).toBe(true)
    expect(registry.stats().size).toBe(0)
  })

  it('gives the session the own idle timeout of the call', async () => {
    const { registry, making } = creating({ timeoutMs: 1_000 })
    expect(thrownBy(() => registry.getOrCreate('a', undefined, { timeoutMs: 50 }))).toEqual(needsOpen)
    making.at(0).resolve(['made'])
    await settle()

    expect(registry.peek('a')?.timeoutMs).toBe(50)
  })

  it('in a listener of `created`, and in many at once', async () => {
    const { registry, making } = creating()
    for (let index = 0; index < 100; index += 1)
      expect(thrownBy(() => registry.getOrCreate(`id-${index}`))).toEqual(needsOpen)
    expect(making.calls).toHaveLength(100)
    for (const call of making.calls) call.resolve([call.id])
    await settle()

    expect(registry.size).toBe(100)
    expect(registry.stats().created).toBe(100)
  })

  it('is disposed of where the registry closes meanwhile', async () => {
    const answer = deferred<string[]>()
    const { registry, disposer } = disposingRegistry({ mode: 'sync', create: () => answer.promise })
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    const report = observe(registry.close())
    answer.resolve(['late'])
    await settle()

    expect(report.value).toEqual({ ended: 0, archived: 0, failed: [] })
    expect(disposer.calls).toMatchObject([{ value: ['late'], reason: 'closed' }])
  })
})

describe('a `create` that returns a promise to `getOrCreate`, and has acted by then', () => {
  it('has created the session: the first one wins, and the value is disposed of', async () => {
    const late = deferred<string[]>()
    const { registry, disposer, lines, errors } = disposingRegistry({
      mode: 'sync',
      maxSessions: 2,
      create: (id) => {
        registry.set(id, ['first'])
        return late.promise
      },
    })
    expect(registry.getOrCreate('a')).toEqual(['first'])
    expect(registry.stats()).toMatchObject({ size: 1, disposing: 0 })
    late.resolve(['late'])
    await settle()

    expect(lines).toEqual(['created a', 'dispose late replaced'])
    expect([disposer.calls.length, errors]).toEqual([1, []])
  })

  it('has created the session, without a cap and `dispose`', async () => {
    const { registry, events } = clockedRegistry({
      create: (id) => {
        registry.set(id, ['first'])
        return Promise.resolve(['late'])
      },
    })
    expect(registry.getOrCreate('a')).toEqual(['first'])
    await settle()

    expect(registry.get('a')).toEqual(['first'])
    expect(events.take()).toEqual(['created a'])
    expect(registry.size).toBe(1)
  })

  it('has closed the registry: the value is disposed of', async () => {
    const { registry, disposer, lines } = disposingRegistry({
      mode: 'sync',
      create: () => {
        void registry.close()
        return Promise.resolve(['late'])
      },
    })
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    await settle()

    expect(disposer.calls).toMatchObject([{ value: ['late'], reason: 'closed' }])
    expect([lines, registry.size]).toEqual([['dispose late closed'], 0])
  })
})

describe('`getOrCreate` with an asynchronous `create` at the cap', () => {
  it('without `dispose` evicts one session when the promise is there, and takes its place', async () => {
    const { registry, making, events } = creating({ maxSessions: 1 })
    registry.set('a', [])
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(needsOpen)
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(needsOpen)
    expect(events.take()).toEqual(['created a', 'ended a capacity'])
    expect(thrownBy(() => registry.set('c', []))).toEqual(full)
    making.at(0).resolve(['made'])
    await settle()

    expect([...registry.keys()]).toEqual(['b'])
  })

  it('with `dispose` has its place before the factory is called', () => {
    const making = new ManualCreate()
    const { registry, disposer } = disposingRegistry({ maxSessions: 1, create: making.create })
    registry.set('a', ['a'])
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(full)

    expect(disposer.values).toEqual([['a']])
    expect(making.calls).toEqual([])
  })

  it('keeps its place until the value is there', async () => {
    const making = new ManualCreate()
    const { registry } = disposingRegistry({ mode: 'sync', maxSessions: 1, create: making.create })
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(full)
    const opened = observe(registry.open('b'))
    await settle()
    expect([making.ids, opened.state]).toEqual([['a'], 'pending'])
    making.at(0).resolve(['made'])
    await settle()

    expect(making.ids).toEqual(['a', 'b'])
    expect(registry.has('a')).toBe(false)
  })
})
