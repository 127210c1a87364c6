import { context, SpanStatusCode } from '@opentelemetry/api'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { instrument } from 'session-registry/opentelemetry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { Telemetry } from '../support/telemetry.ts'

function setUp(options: SessionRegistryOptions<string[]> = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [], clock, ...options })
  const telemetry = new Telemetry()
  const undo = instrument(sessions, telemetry.providers)
  onTestFinished(undo)
  return { clock, sessions, telemetry, undo }
}

const chats = { registry: 'chats' }

/** Returns the number of sessions in each state. */
async function states(telemetry: Telemetry): Promise<Record<string, unknown>> {
  const points = await telemetry.points('sessions')
  return Object.fromEntries(points.map(({ attributes, value }) => [attributes.state, value]))
}

describe('instrument: metrics', () => {
  it('has a gauge of sessions by state', async () => {
    const { sessions, telemetry } = setUp()
    sessions.getOrCreate('ada')
    sessions.getOrCreate('ben')
    const hold = sessions.hold('ben')

    expect(await telemetry.points('sessions')).toEqual(
      [
        ['active', 1],
        ['held', 1],
        ['archiving', 0],
        ['disposing', 0],
      ].map(([state, value]) => ({ attributes: { ...chats, state }, value })),
    )
    hold?.release()
    expect(await states(telemetry)).toEqual({ active: 2, held: 0, archiving: 0, disposing: 0 })
  })

  it('counts creations, and ends by reason', async () => {
    const { clock, sessions, telemetry } = setUp({ timeoutMs: 1_000, maxSessions: 2 })
    for (const id of ['a', 'b', 'c', 'd']) sessions.getOrCreate(id)
    sessions.delete('d')
    clock.advance(1_000)
    sessions.sweep()

    expect(await telemetry.points('created')).toEqual([{ attributes: chats, value: 4 }])
    expect(await telemetry.points('ended')).toEqual([
      { attributes: { ...chats, reason: 'capacity' }, value: 2 },
      { attributes: { ...chats, reason: 'deleted' }, value: 1 },
      { attributes: { ...chats, reason: 'idle' }, value: 1 },
    ])
  })

  it('times turns, waits and archives in seconds, by the clock of the registry', async () => {
    const archived = deferred()
    const { clock, sessions, telemetry } = setUp({ timeoutMs: 60_000, archive: () => archived.promise })
    const end = deferred()
    const first = sessions.run('ada', () => end.promise)
    const second = sessions.run('ada', () => {})
    clock.advance(2_000)
    end.resolve()
    await Promise.all([first, second])
    clock.advance(60_000)
    sessions.sweep()
    clock.advance(500)
    archived.resolve()
    await sessions.settled()

    expect(await telemetry.recorded('turn.duration')).toEqual([{ attributes: chats, count: 2, sum: 2 }])
    expect(await telemetry.recorded('turn.wait')).toEqual([{ attributes: chats, count: 2, sum: 2 }])
    expect(await telemetry.recorded('archive.duration')).toEqual([{ attributes: chats, count: 1, sum: 0.5 }])
  })

  it('times the turns that exclude others: no nested run, and none that joins', async () => {
    const { sessions, telemetry } = setUp()
    await sessions.run('ada', () => sessions.run('ada', () => {}))
    await sessions.run('ada', () => {}, { whenBusy: 'join' })

    expect(await telemetry.recorded('turn.duration')).toMatchObject([{ count: 1 }])
    expect(await telemetry.recorded('turn.wait')).toMatchObject([{ count: 1 }])
    expect(telemetry.spans).toHaveLength(3)
  })

  it('has buckets of seconds', async () => {
    const { sessions, telemetry } = setUp()
    await sessions.run('ada', () => {})
    const [point] = await telemetry.points('turn.duration')
    const boundaries = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_200]

    expect(point).toMatchObject({ value: { buckets: { boundaries } } })
  })

  it('keeps registries apart, those of one name too', async () => {
    const { sessions, telemetry } = setUp()
    const other = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    const carts = new SessionRegistry<string[]>({ name: 'carts', create: () => [] })
    onTestFinished(instrument(carts, telemetry.providers))
    await other.run('ada', () => {})
    await carts.run('ada', () => {})
    carts.delete('ada')
    sessions.getOrCreate('ada')

    expect(await telemetry.points('created')).toEqual([
      { attributes: { registry: 'carts' }, value: 1 },
      { attributes: chats, value: 1 },
    ])
    expect((await telemetry.points('sessions')).filter(({ value }) => value !== 0)).toEqual([
      { attributes: { ...chats, state: 'active' }, value: 1 },
    ])
    expect(telemetry.spans).toHaveLength(1)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('away'))],
    [
      'throws',
      () => {
        throw new Error('away')
      },
    ],
    ['gives nothing', () => undefined],
  ])('leaves the gauge out if the registry %s, and exports the rest', async (_what, stats) => {
    const { sessions, telemetry } = setUp()
    sessions.getOrCreate('ada')
    vi.spyOn(sessions, 'stats').mockImplementation(stats as never)

    expect(await telemetry.points('sessions')).toEqual([])
    expect(await telemetry.points('created')).toEqual([{ attributes: chats, value: 1 }])
  })
})

describe('instrument: the span of a turn', () => {
  it('has the ref of the session, and is of the scope of the library', async () => {
    const { sessions, telemetry } = setUp()
    await sessions.run('ada', () => {})
    const span = telemetry.spanOf('session turn')

    expect(span.attributes).toEqual({
      ...chats,
      'gen_ai.conversation.id': sessions.ref('ada'),
      'session_registry.when_busy': 'wait',
      'session_registry.waited_ms': 0,
    })
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span.instrumentationScope.name).toBe('session-registry')
  })

  it('is a child of the caller’s span, and the parent of those made in the turn, after awaits too', async () => {
    const { sessions, telemetry } = setUp()
    const { tracer } = telemetry
    await tracer.startActiveSpan('request', async (request) => {
      await sessions.run('ada', async () => {
        tracer.startSpan('at once').end()
        await new Promise((resolve) => setImmediate(resolve))
        tracer.startSpan('later').end()
      })
      tracer.startSpan('after').end()
      request.end()
    })
    const [request, turn] = [telemetry.spanOf('request'), telemetry.spanOf('session turn')]

    expect(turn.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    for (const name of ['at once', 'later']) {
      expect(telemetry.spanOf(name).parentSpanContext?.spanId, name).toBe(turn.spanContext().spanId)
    }
    expect(telemetry.spanOf('after').parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    expect(new Set(telemetry.spans.map((span) => span.spanContext().traceId)).size).toBe(1)
  })

  it('of a turn that waited belongs to its own caller', async () => {
    const { sessions, telemetry } = setUp()
    const { tracer } = telemetry
    const end = deferred()
    const turns = ['first', 'second'].map((name) =>
      tracer.startActiveSpan(name, async (span) => {
        await sessions.run('ada', () => {
          tracer.startSpan(`in ${name}`).end()
          return end.promise
        })
        span.end()
      }),
    )
    end.resolve()
    await Promise.all(turns)
    for (const name of ['first', 'second']) {
      const inner = telemetry.spanOf(`in ${name}`)
      const turn = telemetry.spans.find(
        (span) => span.spanContext().spanId === inner.parentSpanContext?.spanId,
      )

      expect(turn?.name).toBe('session turn')
      expect(turn?.parentSpanContext?.spanId).toBe(telemetry.spanOf(name).spanContext().spanId)
    }
  })

  it('of a stream lasts until it was read, and is the parent of spans in all its parts', async () => {
    const { sessions, telemetry } = setUp()
    const { tracer } = telemetry
    const parts = sessions.stream('ada', async function* () {
      tracer.startSpan('part').end()
      yield 1
      tracer.startSpan('part').end()
      yield 2
    })
    await tracer.startActiveSpan('request', async (request) => {
      await parts.next()
      request.end()
    })
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['part', 'request'])
    await tracer.startActiveSpan('elsewhere', async (span) => {
      for await (const _part of parts) span.addEvent('part')
      span.end()
    })
    const turn = telemetry.spanOf('session turn')

    expect(turn.parentSpanContext?.spanId).toBe(telemetry.spanOf('request').spanContext().spanId)
    const inside = telemetry.spans.filter(({ name }) => name === 'part')
    expect(inside.map((span) => span.parentSpanContext?.spanId)).toEqual(
      Array(2).fill(turn.spanContext().spanId),
    )
  })

  it('of a nested run is a child of the outer one', async () => {
    const { sessions, telemetry } = setUp()
    await sessions.run('ada', () => sessions.run('ada', () => {}))
    const [inner, outer] = telemetry.spans

    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
  })

  it('says by code or class what failed, and shows nothing else of the error', async () => {
    class ModelAwayError extends Error {}
    const { sessions, telemetry } = setUp({ maxTurnMs: 1_000, turnGraceMs: 0 })
    const failures: unknown[] = [
      new ModelAwayError('secret'),
      Object.assign(new Error('secret'), { code: 'SECRET', name: 'SecretError' }),
      new DOMException('secret', 'AbortError'),
      new DOMException('secret', 'secret'),
      'secret',
      JSON.parse('{ "constructor": { "name": "SecretError" } }'),
      undefined,
    ]
    for (const failure of failures) await sessions.run('ada', () => Promise.reject(failure)).catch(() => {})
    await sessions.run('ada', () => sessions.run('', () => {})).catch(() => {})

    const types = [
      'ModelAwayError',
      'Error',
      'AbortError',
      '_OTHER',
      '_OTHER',
      '_OTHER',
      '_OTHER',
      'ERR_SESSION_ID_INVALID',
    ]
    expect(telemetry.spans.map(({ attributes }) => attributes['error.type'])).toEqual(types)
    for (const { status, events } of telemetry.spans) {
      expect(status).toEqual({ code: SpanStatusCode.ERROR })
      expect(events).toEqual([])
    }
    const recorded = await telemetry.recorded('turn.duration')
    expect(new Set(recorded.map(({ attributes }) => attributes['error.type']))).toEqual(new Set(types))
    expect(JSON.stringify(recorded)).not.toMatch(/secret/i)
  })

  it('shows no id, owner or value', async () => {
    const { sessions, telemetry } = setUp()
    await sessions.run('secret', ({ value }) => value.push('secret'), { owner: 'secret' })
    const { attributes, name, events, links, status } = telemetry.spanOf('session turn')

    expect(JSON.stringify({ attributes, name, events, links, status })).not.toContain('secret')
  })

  it('without a context manager is recorded, and changes nothing of the turn', async () => {
    const { sessions, telemetry } = setUp()
    context.disable()
    const result = await sessions.run('ada', () => 7)

    expect(result).toBe(7)
    expect(telemetry.spans).toHaveLength(1)
  })
})
