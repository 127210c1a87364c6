import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChannelRecorder } from '../../support/channel-recorder.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'

describe('the messages of events', () => {
  it('a sweep: one message, with the fields of its event', () => {
    const recorder = new ChannelRecorder('watched', ['swept', 'ended'])
    const { clock, registry, events } = clockedRegistry({
      name: 'watched',
      timeoutMs: 1_000,
      intervalMs: 1_000,
    })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    clock.advance(500)
    registry.touch('c')
    clock.advance(600)

    expect(recorder.names).toEqual(['ended', 'ended', 'swept'])
    expect(recorder.of('swept')).toEqual([{ registry: 'watched', ...events.sweeps[0] }])
    expect(recorder.of('swept')[0]).toMatchObject({ expired: 2, remaining: 1 })
    registry.sweep()
    expect(recorder.of('swept')).toHaveLength(1)
  })

  it('ended: times are those of the end, in whole milliseconds', () => {
    const recorder = new ChannelRecorder('watched', ['ended'])
    const { clock, registry } = clockedRegistry({ name: 'watched', timeoutMs: 10_000 })
    registry.getOrCreate('ada')
    clock.advance(1_000.4)
    registry.touch('ada')
    clock.advance(500.2)
    registry.delete('ada')

    expect(recorder.of('ended')).toEqual([
      expect.objectContaining({ reason: 'deleted', idleMs: 500, ageMs: 1_501 }),
    ])
  })

  it('ended: every reason, once', async () => {
    const recorder = new ChannelRecorder('watched', ['ended'])
    const { clock, registry } = clockedRegistry({
      name: 'watched',
      timeoutMs: 1_000,
      maxAgeMs: 2_500,
      maxSessions: 2,
    })
    registry.getOrCreate('idle')
    clock.advance(1_000)
    registry.sweep()
    registry.getOrCreate('aged')
    for (let times = 0; times < 3; times += 1) {
      clock.advance(800)
      registry.touch('aged')
    }
    clock.advance(100)
    registry.sweep()
    registry.getOrCreate('evicted')
    registry.getOrCreate('replaced')
    registry.getOrCreate('deleted')
    registry.replace('replaced', [])
    registry.delete('deleted')
    await registry.close()

    expect(recorder.of('ended').map(({ reason }) => reason)).toEqual([
      'idle',
      'age',
      'capacity',
      'replaced',
      'deleted',
      'closed',
    ])
  })

  it('the ref: a keyed hash, also where the log shows ids', () => {
    const recorder = new ChannelRecorder('watched', ['created'])
    const { registry } = clockedRegistry({ name: 'watched', logIds: 'plain' })
    registry.getOrCreate('ada')

    expect(recorder.of('created')[0]?.ref).toBe(registry.ref('ada'))
    expect(registry.ref('ada')).not.toBe('ada')
  })

  it('the registry: by its name, each subscriber gets those of all', () => {
    const names: unknown[] = []
    const subscriber = (message: unknown) => names.push((message as { registry: string }).registry)
    subscribe('session-registry:created', subscriber)
    onTestFinished(() => {
      unsubscribe('session-registry:created', subscriber)
    })
    clockedRegistry({ name: 'chats' }).registry.getOrCreate('ada')
    clockedRegistry().registry.getOrCreate('ada')

    expect(names).toEqual(['chats', 'sessions'])
  })

  it('the incarnation: that of the session', () => {
    const recorder = new ChannelRecorder('watched', ['created', 'ended'])
    const { registry } = clockedRegistry({ name: 'watched' })
    registry.getOrCreate('ada')
    const incarnation = registry.peek('ada')?.incarnation
    registry.delete('ada')

    expect(recorder.publications.map(({ message }) => message.incarnation)).toEqual([
      incarnation,
      incarnation,
    ])
  })

  it('an archive that failed for good: its error names the session', async () => {
    const recorder = new ChannelRecorder('watched', ['error', 'ended'])
    const archive = new FakeArchive('failing')
    const { clock, registry } = clockedRegistry({
      name: 'watched',
      timeoutMs: 1_000,
      archive: archive.archive,
      archiveAttempts: 1,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.set('ada', ['hello'])
    clock.advance(1_000)
    registry.sweep()
    await clock.advanceAsync(0)

    const incarnation = registry.peek('ada')?.incarnation
    expect(recorder.publications).toEqual([
      {
        name: 'error',
        message: { registry: 'watched', ref: registry.ref('ada'), incarnation, error: errors[0] },
      },
    ])
    expect(errors[0]).toMatchObject({ code: 'ERR_SESSION_ARCHIVE_FAILED' })
  })

  it('a broken listener of `error`: its failure is logged, and not published', () => {
    const recorder = new ChannelRecorder('watched', ['error'])
    const { registry } = clockedRegistry({ name: 'watched', logger: silentLogger })
    registry.on('error', () => {
      throw new Error('the listener of error is broken')
    })
    registry.on('created', () => {
      throw new Error('the listener of created is broken')
    })
    registry.getOrCreate('ada')

    expect(recorder.of('error').map(({ event }) => event)).toEqual(['created'])
  })
})

const silentLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

describe('the async context of messages', () => {
  const visitor = new AsyncLocalStorage<string>()

  it('is that of the event: the call’s, or the constructor’s for what the registry does by itself', () => {
    const ran: string[] = []
    new ChannelRecorder('watched', ['created', 'ended', 'swept', 'error'], (name) =>
      ran.push(`${name} in ${visitor.getStore()}`),
    )
    const clock = new ManualClock()
    const registry = visitor.run(
      'constructor',
      () =>
        new SessionRegistry<string[]>({
          name: 'watched',
          clock,
          timeoutMs: 1_000,
          intervalMs: 1_000,
          maxSessions: 2,
          create: () => [],
        }),
    )
    visitor.run('ada', () => registry.getOrCreate('ada'))
    visitor.run('ben', () => registry.getOrCreate('ben'))
    visitor.run('cleo', () => registry.getOrCreate('cleo'))
    visitor.run('ben', () => registry.delete('ben'))
    visitor.run('clock', () => clock.advance(2_000))

    expect(ran).toEqual([
      'created in ada',
      'created in ben',
      'ended in constructor',
      'created in cleo',
      'ended in ben',
      'ended in constructor',
      'swept in constructor',
    ])
  })
})

describe('a subscriber that uses the registry', () => {
  it('deletes the session at `created`: `ended` comes after it, for each subscriber and listener', () => {
    const { registry, events } = clockedRegistry({ name: 'watched' })
    const subscriber = () => registry.delete('ada')
    channel('session-registry:created').subscribe(subscriber)
    onTestFinished(() => {
      channel('session-registry:created').unsubscribe(subscriber)
    })
    const recorder = new ChannelRecorder('watched', ['created', 'ended'])
    registry.getOrCreate('ada')

    expect(recorder.names).toEqual(['created', 'ended'])
    expect(events.lines).toEqual(['created ada', 'ended ada deleted'])
    expect(registry.size).toBe(0)
  })

  it('deletes the session at `asyncEnd` of its turn: the turn has settled', async () => {
    const { registry, events } = clockedRegistry({ name: 'watched' })
    new ChannelRecorder('watched', ['turn'], (name) => {
      if (name === 'turn:asyncEnd') registry.delete('ada')
    })
    await expect(registry.run('ada', async () => 'result')).resolves.toBe('result')

    expect(events.lines).toEqual(['created ada', 'ended ada deleted'])
  })

  it('that throws: stops nothing, and its error is an uncaught exception', async () => {
    const failure = new Error('the subscriber is broken')
    const uncaught: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    const subscriber = () => {
      throw failure
    }
    const channels = ['session-registry:created', 'tracing:session-registry:turn:start']
    for (const name of channels) subscribe(name, subscriber)
    onTestFinished(() => {
      for (const name of channels) unsubscribe(name, subscriber)
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    })
    const { registry, events } = clockedRegistry()
    await expect(registry.run('ada', async () => 'result')).resolves.toBe('result')
    await new Promise((resolve) => setImmediate(resolve))

    expect(uncaught).toEqual([failure, failure])
    expect(events.lines).toEqual(['created ada'])
    expect(registry.stats().listenerErrors).toBe(0)
  })
})
