import { channel } from 'node:diagnostics_channel'
import { Gauge, register as globalRegister, type OpenMetricsContentType, Registry } from 'prom-client'
import { SessionRegistry } from 'session-registry'
import { collect } from 'session-registry/prometheus'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { collectedRegistry } from '../support/collected-registry.ts'

import { samples } from '../support/prometheus-samples.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

const channels = ['session-registry:ended', 'session-registry:created'].concat(
  ['turn', 'archive'].flatMap((operation) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
      (part) => `tracing:session-registry:${operation}:${part}`,
    ),
  ),
)

afterEach(() => {
  globalRegister.clear()
  vi.restoreAllMocks()
})

describe('collect: several registries', () => {
  const make = (name?: string) =>
    new SessionRegistry<string[]>({ create: () => [], ...(name === undefined ? {} : { name }) })

  it('are told apart by name; those without one are `sessions`', async () => {
    const [chats, carts, nameless] = [make('chats'), make('a "cart"'), make()]
    const register = new Registry()
    onTestFinished(collect([chats, carts, nameless], { register }))
    chats.getOrCreate('ada')

    expect(await samples(register, 'created')).toEqual([
      'created_total{registry="chats"} 1',
      'created_total{registry="a \\"cart\\""} 0',
      'created_total{registry="sessions"} 0',
    ])
  })

  it('share their series if they have one name: sums, and ready if all are', async () => {
    const full = new SessionRegistry<string[]>({ create: () => [], maxSessions: 1, whenFull: 'reject' })
    const other = make()
    const register = new Registry()
    onTestFinished(collect([full, other], { register }))
    full.getOrCreate('a')
    for (const id of ['a', 'b']) other.getOrCreate(id)
    for (const one of [full, other]) one.delete('a')
    full.getOrCreate('c')

    const lines = ['created', 'ready', 'sessions{registry="sessions",state="active"}']
    expect(await samples(register, ...lines, 'ended_total{registry="sessions",reason="deleted"}')).toEqual([
      'sessions{registry="sessions",state="active"} 2',
      'ready{registry="sessions"} 0',
      'created_total{registry="sessions"} 4',
      'ended_total{registry="sessions",reason="deleted"} 2',
    ])
  })

  it('keep what was counted when another of the same name comes', async () => {
    const [chats, again] = [make('chats'), make('chats')]
    const register = new Registry()
    onTestFinished(collect(chats, { register }))
    await chats.run('ada', () => {})
    onTestFinished(collect(again, { register }))
    await again.run('ada', () => {})

    expect(await samples(register, 'turn_duration_seconds_count')).toEqual([
      'turn_duration_seconds_count{registry="chats"} 2',
    ])
  })

  it('may be given in several calls, each of which takes back its own', async () => {
    const [chats, carts] = [make('chats'), make('carts')]
    const register = new Registry()
    const stopChats = collect(chats, { register })
    const stopAll = collect([chats, carts], { register })
    chats.getOrCreate('ada')
    chats.delete('ada')
    const deleted = (registry: string, n: number) =>
      `ended_total{registry="${registry}",reason="deleted"} ${n}`
    const ended = ['chats', 'carts'].map((name) => `ended_total{registry="${name}",reason="deleted"}`)

    expect(await samples(register, ...ended)).toEqual([deleted('chats', 1), deleted('carts', 0)])
    stopChats()
    stopChats()
    expect(await samples(register, ...ended)).toEqual([deleted('chats', 1), deleted('carts', 0)])
    stopAll()
    expect(await register.metrics()).toBe('\n')
    expect(channels.filter((name) => channel(name).hasSubscribers)).toEqual([])
  })

  it('lose their series when they are taken back, but for those of a name that is still there', async () => {
    const [chats, again, carts] = [make('chats'), make('chats'), make('carts')]
    const register = new Registry()
    const stops = [chats, again, carts].map((one) => collect(one, { register }))
    onTestFinished(() => {
      for (const stop of stops) stop()
    })
    const names = async () =>
      new Set((await samples(register)).map((line) => /registry="(\w+)"/.exec(line)?.[1]))
    chats.getOrCreate('ada')
    chats.delete('ada')
    stops[0]?.()

    expect(await names()).toEqual(new Set(['chats', 'carts']))
    expect(
      await samples(
        register,
        'created_total{registry="chats"}',
        'ended_total{registry="chats",reason="deleted"}',
      ),
    ).toEqual(['created_total{registry="chats"} 0', 'ended_total{registry="chats",reason="deleted"} 1'])
    stops[1]?.()
    expect(await names()).toEqual(new Set(['carts']))
  })

  it('begin anew in a register that was cleared', async () => {
    const { sessions, register, stop } = collectedRegistry()
    sessions.getOrCreate('ada')
    sessions.delete('ada')
    register.clear()
    const carts = make('carts')
    const stopCarts = collect(carts, { register })

    expect((await samples(register)).some((line) => line.includes('chats'))).toBe(false)
    expect(await samples(register, 'created')).toEqual(['created_total{registry="carts"} 0'])
    stopCarts()
    expect(channels.filter((name) => channel(name).hasSubscribers)).toEqual([])
    const stopAgain = collect(carts, { register })
    stop()
    expect(await samples(register, 'created')).toEqual(['created_total{registry="carts"} 0'])
    stopAgain()
  })

  it('may be none', async () => {
    const register = new Registry()
    const stop = collect([], { register })

    expect(await samples(register)).toEqual([])
    stop()
    expect(register.getMetricsAsArray()).toEqual([])
  })
})

describe('collect: the register', () => {
  it('is the global one of prom-client by default', async () => {
    const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    const stop = collect(sessions)

    expect(await samples(globalRegister, 'ready')).toEqual(['ready{registry="chats"} 1'])
    stop()
    expect(globalRegister.getMetricsAsArray()).toEqual([])
  })

  it('keeps a metric of other code, which takes the place of ours', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const register = new Registry()
    const theirs = new Gauge({ name: 'session_registry_sessions', help: 'own', registers: [register] })
    const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    const stop = collect(sessions, { register })

    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining('session_registry_sessions'),
    ])
    expect(await samples(register, 'sessions', 'ready')).toEqual(['sessions 0', 'ready{registry="chats"} 1'])
    stop()
    expect(register.getMetricsAsArray()).toEqual([theirs])
  })

  it('may write OpenMetrics, before and after which all is taken out', async () => {
    const { sessions, stop } = collectedRegistry()
    const register = new Registry<OpenMetricsContentType>()
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const stopOpen = collect(sessions, { register })
    const text = await register.metrics()

    expect(text).toContain('session_registry_created_total{registry="chats"} 0')
    stopOpen()
    expect(register.getMetricsAsArray()).toEqual([])
    stop()
  })

  it('may be one of several', async () => {
    const { sessions, register } = collectedRegistry()
    const other = new Registry()
    onTestFinished(collect(sessions, { register: other }))
    sessions.getOrCreate('ada')
    sessions.delete('ada')

    const deleted = 'ended_total{registry="chats",reason="deleted"}'
    expect(await samples(register, deleted)).toEqual([`${deleted} 1`])
    expect(await samples(other, deleted)).toEqual([`${deleted} 1`])
  })

  it('is aggregated over the workers of a cluster: sums, and the minimum of readiness', async () => {
    const { register } = collectedRegistry()
    const metrics = await register.getMetricsAsJSON()
    const aggregators = Object.fromEntries(metrics.map(({ name, aggregator }) => [name, aggregator]))

    expect(aggregators).toMatchObject({
      session_registry_ready: 'min',
      session_registry_redis_sessions: 'max',
      session_registry_sessions: 'sum',
      session_registry_ended_total: 'sum',
    })
  })
})

describe('collect: arguments', () => {
  const register = new Registry()
  const sessions = new SessionRegistry<string[]>({ create: () => [] })
  const wrong: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'a number'],
    ['secret', 'a string'],
    [() => {}, 'a function'],
    [{}, 'an object'],
    [new Map(), 'an object'],
  ]

  it.each(wrong)('refuses %s as its registries, and registers nothing', (given, kind) => {
    const error = thrownBy(() => collect(given as never, { register })) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toBe(`Expected \`registries\` to be a session registry, got ${kind}`)
    const inList = thrownBy(() => collect([sessions, given as never], { register })) as Error
    expect(inList.message).toBe(`Expected \`registries[1]\` to be a session registry, got ${kind}`)
    expect(register.getMetricsAsArray()).toEqual([])
  })

  it.each(wrong.slice(1))('refuses %s as its register', (given, kind) => {
    const error = thrownBy(() => collect(sessions, { register: given as never })) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toBe(`Expected \`register\` to be a register of prom-client, got ${kind}`)
  })

  it('refuses an unknown option', () => {
    const error = thrownBy(() => collect(sessions, { registry: register } as never))
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})
