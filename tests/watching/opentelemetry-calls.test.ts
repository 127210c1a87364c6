import { channel } from 'node:diagnostics_channel'
import { metrics, trace } from '@opentelemetry/api'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { SessionRegistry } from 'session-registry'
import { instrument } from 'session-registry/opentelemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'
import { Telemetry } from '../support/telemetry.ts'

const make = (name = 'chats') => new SessionRegistry<string[]>({ name, create: () => [] })

const channels = ['session-registry:created', 'session-registry:ended'].concat(
  ['turn', 'archive'].flatMap((operation) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
      (part) => `tracing:session-registry:${operation}:${part}`,
    ),
  ),
)
const watchedChannels = () => channels.filter((name) => channel(name).hasSubscribers)

describe('instrument: its undo', () => {
  it('takes back everything: subscriptions, gauge, counts and spans', async () => {
    const telemetry = new Telemetry()
    const sessions = make()
    const undo = instrument(sessions, telemetry.providers)
    await sessions.run('ada', () => {})
    expect(watchedChannels()).not.toEqual([])
    undo()
    undo()
    await sessions.run('ben', () => {})

    expect(watchedChannels()).toEqual([])
    expect(telemetry.spans).toHaveLength(1)
    expect(await telemetry.points('created')).toMatchObject([{ value: 1 }])
    expect(await telemetry.points('sessions')).toEqual([])
  })

  it('ends the spans of turns that are running, which go on', async () => {
    const telemetry = new Telemetry()
    const sessions = make()
    const undo = instrument(sessions, telemetry.providers)
    const end = deferred<string>()
    const turn = sessions.run('ada', () => end.promise)
    undo()
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['session turn'])
    end.resolve('done')

    expect(await turn).toBe('done')
    expect(telemetry.spans).toHaveLength(1)
    expect(await telemetry.points('turn.duration')).toEqual([])
  })

  it('may come before and after `close`, and a closed registry has no gauge', async () => {
    const telemetry = new Telemetry()
    const sessions = make()
    const undo = instrument(sessions, telemetry.providers)
    sessions.getOrCreate('ada')
    await sessions.close()

    expect(await telemetry.points('ended')).toMatchObject([{ attributes: { reason: 'closed' }, value: 1 }])
    expect(await telemetry.points('sessions')).toEqual([])
    undo()
    const undoLate = instrument(sessions, telemetry.providers)
    expect(await telemetry.points('sessions')).toEqual([])
    undoLate()
    expect(watchedChannels()).toEqual([])
  })
})

describe('instrument: further calls', () => {
  it('count nothing twice, and the last undo counts', async () => {
    const telemetry = new Telemetry()
    const sessions = make()
    const undos = [instrument(sessions, telemetry.providers), instrument(sessions, telemetry.providers)]
    await sessions.run('ada', () => {})
    undos[0]?.()
    undos[0]?.()
    await sessions.run('ada', () => {})

    expect(telemetry.spans).toHaveLength(2)
    expect(await telemetry.points('created')).toMatchObject([{ value: 1 }])
    undos[1]?.()
    expect(watchedChannels()).toEqual([])
    instrument(sessions, telemetry.providers)()
    expect(watchedChannels()).toEqual([])
  })

  it('with other providers send to those too', async () => {
    const telemetry = new Telemetry()
    const other = new Telemetry()
    const sessions = make()
    for (const { providers } of [telemetry, other]) onTestFinished(instrument(sessions, providers))
    await sessions.run('ada', () => other.tracer.startSpan('inside').end())

    expect(telemetry.spans.map(({ name }) => name)).toEqual(['session turn'])
    expect(other.spans.map(({ name }) => name)).toEqual(['inside', 'session turn'])
    expect(other.spanOf('inside').parentSpanContext?.spanId).toBe(
      other.spanOf('session turn').spanContext().spanId,
    )
  })
})

describe('instrument: the providers', () => {
  it('are the global ones by default', async () => {
    const telemetry = new Telemetry()
    metrics.setGlobalMeterProvider(telemetry.meterProvider)
    trace.setGlobalTracerProvider(telemetry.tracerProvider)
    onTestFinished(() => {
      metrics.disable()
      trace.disable()
    })
    const sessions = make()
    onTestFinished(instrument(sessions))
    await sessions.run('ada', () => {})

    expect(telemetry.spans).toHaveLength(1)
    expect(await telemetry.points('created')).toMatchObject([{ value: 1 }])
  })

  it('may be none at all', async () => {
    const sessions = make()
    const undo = instrument(sessions, { meterProvider: undefined })

    expect(await sessions.run('ada', () => 7)).toBe(7)
    undo()
    expect(watchedChannels()).toEqual([])
  })

  it('may fail without harm to a turn', async () => {
    const telemetry = new Telemetry()
    const broken = (part: 'onStart' | 'onEnd') =>
      new BasicTracerProvider({
        spanProcessors: [
          {
            onStart: () => {},
            onEnd: () => {},
            forceFlush: () => Promise.resolve(),
            shutdown: () => Promise.resolve(),
            [part]: () => {
              throw new Error('broken')
            },
          },
        ],
      })
    const { meterProvider } = telemetry
    const sessions = make()
    for (const part of ['onStart', 'onEnd'] as const) {
      const undo = instrument(sessions, { meterProvider, tracerProvider: broken(part) })
      expect(await sessions.run('ada', () => 7)).toBe(7)
      const end = deferred()
      const turn = sessions.run('ada', () => end.promise)
      undo()
      end.resolve()
      await turn
    }

    expect(watchedChannels()).toEqual([])
    // Only a span that could begin has a duration.
    expect(await telemetry.recorded('turn.duration')).toMatchObject([{ count: 1 }])
  })
})

describe('instrument: arguments', () => {
  const wrong: [unknown, string][] = [
    [null, 'null'],
    [7, 'a number'],
    ['secret', 'a string'],
    [[], 'an array'],
    [() => {}, 'a function'],
    [{}, 'an object'],
  ]

  it.each([[undefined, 'undefined'] as const, ...wrong])('refuses %s as its registry', (given, kind) => {
    const error = thrownBy(() => instrument(given as never)) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toBe(`Expected \`registry\` to be a session registry, got ${kind}`)
  })

  it.each(wrong)('refuses %s as a provider, and subscribes to nothing', (given, kind) => {
    for (const [option, what] of [
      ['meterProvider', 'meter'],
      ['tracerProvider', 'tracer'],
    ] as const) {
      const error = thrownBy(() => instrument(make(), { [option]: given as never })) as Error
      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(error.message).toBe(
        `Expected \`${option}\` to be a ${what} provider of OpenTelemetry, got ${kind}`,
      )
    }
    expect(watchedChannels()).toEqual([])
  })

  it('refuses an unknown option', () => {
    const error = thrownBy(() => instrument(make(), { meter: {} } as never))
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})
