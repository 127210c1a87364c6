import { AsyncLocalStorage } from 'node:async_hooks'
import { pino } from 'pino'
import type { Logger, SessionRegistryOptions } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

const forEver = { timeoutMs: Number.POSITIVE_INFINITY, maxTurnMs: Number.POSITIVE_INFINITY }

function watched(options: SessionRegistryOptions<string[]> = {}) {
  const logger = new RecordingLogger()
  const made = clockedRegistry({ ...forEver, logger, logIds: 'plain', slowTurnMs: 1_000, ...options })
  const warnings = () => logger.at('warn').map(({ message, fields }) => [message, fields] as const)
  return { ...made, logger, warnings }
}

const isRunning = (session: string, runningMs: number, whenBusy = 'wait') => [
  'turn is still running',
  { registry: 'sessions', session, runningMs, whenBusy },
]
const isWaiting = (session: string, waitedMs: number, whenBusy = 'wait') => [
  'turn is still waiting',
  { registry: 'sessions', session, waitedMs, whenBusy },
]

describe('slowTurnMs', () => {
  it('a turn that runs: no line one millisecond before, one line exactly then, once', async () => {
    const { registry, clock, warnings } = watched()
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(999)
    expect(warnings()).toEqual([])
    await clock.advanceAsync(1)
    expect(warnings()).toEqual([isRunning('a', 1_000)])
    await clock.advanceAsync(10_000)
    turn.end.resolve('done')
    await turn.run.settled

    expect(turn.run.value).toBe('done')
    expect(warnings()).toEqual([isRunning('a', 1_000)])
    expect(clock.pending).toBe(0)
  })

  it('a turn that settles in time: no line', async () => {
    const { registry, clock, warnings } = watched()
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(999)
    turn.end.reject(new Error('failed'))
    await turn.run.settled
    await clock.advanceAsync(10_000)

    expect(warnings()).toEqual([])
  })

  it('a turn that waits: one line, counted from the call, and then one for its run', async () => {
    const { registry, clock, warnings } = watched()
    const first = beginTurn(registry, 'a')
    await clock.advanceAsync(400)
    const gate = deferred()
    const next = observe(registry.run('a', () => gate.promise, { whenBusy: 'interrupt' }))
    await clock.advanceAsync(999)
    expect(warnings()).toEqual([isRunning('a', 1_000)])
    await clock.advanceAsync(1)
    expect(warnings()).toEqual([isRunning('a', 1_000), isWaiting('a', 1_000, 'interrupt')])
    first.end.resolve('')
    await clock.advanceAsync(999)
    expect(warnings()).toHaveLength(2)
    await clock.advanceAsync(1)
    gate.resolve()
    await next.settled

    expect(warnings().slice(2)).toEqual([isRunning('a', 1_000, 'interrupt')])
  })

  it('a turn that begins just in time: its wait is not told, and its run counts from its begin', async () => {
    const { registry, clock, warnings } = watched()
    const first = beginTurn(registry, 'a')
    const next = observe(registry.run('a', () => new Promise(() => {})))
    await clock.advanceAsync(999)
    first.end.resolve('')
    await clock.advanceAsync(999)
    expect(next.state).toBe('pending')
    expect(warnings()).toEqual([])
    await clock.advanceAsync(1)

    expect(warnings()).toEqual([isRunning('a', 1_000)])
  })

  it('a turn that waits for its session to be loaded: is told of', async () => {
    const hook = new ManualLoad()
    const { registry, clock, warnings } = watched({ load: hook.load })
    const run = observe(registry.run('a', (session) => session.value.length))
    await clock.advanceAsync(1_000)
    expect(warnings()).toEqual([isWaiting('a', 1_000)])
    hook.at(0).resolve(['loaded'])
    await run.settled
    await clock.advanceAsync(10_000)

    expect(run.value).toBe(1)
    expect(warnings()).toHaveLength(1)
  })

  it('a turn whose session was deleted while it waited: its wait is told once', async () => {
    const hook = new ManualLoad()
    const { registry, clock, warnings } = watched({ load: hook.load })
    registry.replace('a', [])
    beginTurn(registry, 'a')
    const next = observe(registry.run('a', () => 'next'))
    await clock.advanceAsync(600)
    registry.delete('a')
    await clock.advanceAsync(400)
    expect(warnings()).toContainEqual(isWaiting('a', 1_000))
    await clock.advanceAsync(5_000)
    hook.at(0).resolve(undefined)
    await next.settled

    expect(next.value).toBe('next')
    expect(warnings().filter(([message]) => message === 'turn is still waiting')).toHaveLength(1)
  })

  it('a turn that leaves the queue: no line', async () => {
    const { registry, clock, warnings } = watched({ slowTurnMs: 2_000 })
    const first = beginTurn(registry, 'a')
    const controller = new AbortController()
    const left = observe(registry.run('a', () => {}, { signal: controller.signal }))
    const late = observe(registry.run('a', () => {}, { waitMs: 1_500 }))
    await clock.advanceAsync(1_500)
    controller.abort()
    first.end.resolve('')
    await first.run.settled
    await clock.advanceAsync(10_000)

    expect([left.state, late.state]).toEqual(['rejected', 'rejected'])
    expect(warnings()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('a nested turn: is part of its outer one', async () => {
    const { registry, clock, warnings } = watched()
    const end = deferred()
    const outer = observe(registry.run('a', () => registry.run('a', () => end.promise)))
    await clock.advanceAsync(5_000)
    end.resolve()
    await outer.settled

    expect(warnings()).toEqual([isRunning('a', 1_000)])
  })

  it('a turn that joins, and a stream: are told of as they are', async () => {
    const { registry, clock, warnings } = watched()
    registry.set('a', [])
    registry.set('b', [])
    const end = deferred()
    const joined = observe(registry.run('a', () => end.promise, { whenBusy: 'join' }))
    const stream = registry.stream('b', async function* () {
      yield 1
      await end.promise
    })
    await stream.next()
    await clock.advanceAsync(1_000)
    end.resolve()
    await joined.settled
    await stream.return(undefined)

    expect(warnings()).toEqual([isRunning('a', 1_000, 'join'), isRunning('b', 1_000)])
  })

  it('a turn whose session has ended: is told of as long as its function runs', async () => {
    const { registry, clock, warnings } = watched()
    const turn = beginTurn(registry, 'a')
    registry.delete('a')
    await clock.advanceAsync(1_000)
    turn.end.resolve('')
    await turn.run.settled

    expect(warnings()).toEqual([isRunning('a', 1_000)])
  })

  it('a turn that is cut off by `maxTurnMs` before: no line', async () => {
    const { registry, clock, warnings } = watched({ maxTurnMs: 500, turnGraceMs: 100 })
    const turn = beginTurn(registry, 'a')
    await clock.advanceAsync(5_000)

    expect(turn.run.state).toBe('rejected')
    expect(warnings()).toEqual([])
  })

  it('many turns: have one timer between them', async () => {
    const { registry, clock, warnings } = watched()
    const turns = Array.from({ length: 100 }, (_, at) => beginTurn(registry, `id ${at}`))
    expect(clock.pending).toBe(1)
    for (const turn of turns.slice(1)) turn.end.resolve('')
    await clock.advanceAsync(1_000)

    expect(warnings()).toEqual([isRunning('id 0', 1_000)])
  })

  it.each([
    ['without a logger', { logger: false }],
    ['with a logger whose `warn` is off', { logger: pino({ level: 'error' }, { write: () => {} }) }],
    ['of infinity', { slowTurnMs: Number.POSITIVE_INFINITY }],
  ])('%s: nothing is watched', async (_what, options) => {
    const { registry, clock, warnings } = watched(options)
    const first = beginTurn(registry, 'a')
    const next = observe(registry.run('a', () => {}))
    expect(clock.pending).toBe(0)
    await clock.advanceAsync(60_000)
    first.end.resolve('')
    await next.settled

    expect(warnings()).toEqual([])
  })

  it('by default: 30 seconds', async () => {
    const { registry, clock, warnings } = watched({ slowTurnMs: undefined })
    beginTurn(registry, 'a')
    await clock.advanceAsync(29_999)
    expect(warnings()).toEqual([])
    await clock.advanceAsync(1)

    expect(warnings()).toEqual([isRunning('a', 30_000)])
  })

  it('a time with a fraction: is rounded', async () => {
    const { registry, clock, warnings } = watched()
    const { setTimeout } = clock
    clock.setTimeout = (fn, ms) => setTimeout.call(clock, fn, ms + 0.4)
    beginTurn(registry, 'a')
    await clock.advanceAsync(1_001)

    expect(warnings()).toEqual([isRunning('a', 1_000)])
  })

  it('a logger that throws: the turn goes on, and the next one is told of', async () => {
    const seen: unknown[] = []
    const logger = loggerOf((fields) => {
      seen.push(fields)
      if (seen.length === 1) throw new Error('no log')
    })
    const { registry, clock } = watched({ logger })
    const first = beginTurn(registry, 'a')
    beginTurn(registry, 'b')
    await clock.advanceAsync(1_000)
    first.end.resolve('done')
    await first.run.settled

    expect(first.run.value).toBe('done')
    expect(seen).toHaveLength(2)
  })

  it('the line is written in the context of the registry, and no event is emitted', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const logger = loggerOf(() => void seen.push(storage.getStore()))
    const { registry, clock, events } = storage.run('registry', () => watched({ logger }))
    storage.run('visitor', () => beginTurn(registry, 'a'))
    expect(events.take()).toEqual(['created a'])
    await storage.run('mover', () => clock.advanceAsync(1_000))

    expect(seen).toEqual(['registry'])
    expect(events.take()).toEqual([])
  })
})

/** A logger of which only the lines of level `warn` are of interest. */
function loggerOf(warn: (fields: object) => void): Logger {
  return { debug: () => {}, info: () => {}, warn, error: () => {} }
}
