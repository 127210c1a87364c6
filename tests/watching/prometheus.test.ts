import { channel } from 'node:diagnostics_channel'
import { Registry } from 'prom-client'
import { SessionRegistry } from 'session-registry'
import { collect } from 'session-registry/prometheus'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { collectedRegistry } from '../support/collected-registry.ts'
import { deferred } from '../support/deferred.ts'
import { samples } from '../support/prometheus-samples.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('collect: gauges', () => {
  it('are read at the scrape: sessions by state, turns, and readiness', async () => {
    const archived = deferred()
    const { clock, sessions, register } = collectedRegistry({
      timeoutMs: 1_000,
      archive: () => archived.promise,
    })
    sessions.getOrCreate('old')
    clock.advance(1_000)
    sessions.sweep()
    sessions.getOrCreate('ada')
    sessions.getOrCreate('ben')
    const end = deferred()
    const turns = [sessions.run('ben', () => end.promise), sessions.run('ben', () => {})]

    expect(await samples(register, 'sessions', 'turns_running', 'turns_waiting', 'ready')).toEqual([
      'sessions{registry="chats",state="active"} 1',
      'sessions{registry="chats",state="held"} 1',
      'sessions{registry="chats",state="archiving"} 1',
      'sessions{registry="chats",state="disposing"} 0',
      'turns_running{registry="chats"} 1',
      'turns_waiting{registry="chats"} 1',
      'ready{registry="chats"} 1',
    ])
    end.resolve()
    archived.resolve()
    await Promise.all(turns)
    await sessions.settled()
    sessions.delete('ada')

    expect(await samples(register, 'sessions', 'turns_w')).toEqual([
      'sessions{registry="chats",state="active"} 1',
      'sessions{registry="chats",state="held"} 0',
      'sessions{registry="chats",state="archiving"} 0',
      'sessions{registry="chats",state="disposing"} 0',
      'turns_waiting{registry="chats"} 0',
    ])
  })

  it('are no activity', async () => {
    const { clock, sessions, register } = collectedRegistry({ timeoutMs: 1_000 })
    sessions.getOrCreate('ada')
    clock.advance(999)
    await register.metrics()
    clock.advance(1)

    expect(sessions.has('ada')).toBe(false)
  })

  it('say 0 for a registry that is full, and nothing of one that is closed', async () => {
    const { sessions, register } = collectedRegistry({ maxSessions: 1, whenFull: 'reject' })
    sessions.getOrCreate('ada')
    expect(await samples(register, 'ready')).toEqual(['ready{registry="chats"} 0'])
    await sessions.close()

    expect(await samples(register, 'ready', 'sessions', 'turns_running')).toEqual([])
    expect(await samples(register, 'created', 'ended_total{registry="chats",reason="closed"}')).toEqual([
      'created_total{registry="chats"} 1',
      'ended_total{registry="chats",reason="closed"} 1',
    ])
  })
})

describe('collect: counters', () => {
  it('count ends by reason from the call on, and begin at 0', async () => {
    const { clock, sessions, register, stop } = collectedRegistry({ timeoutMs: 1_000, maxSessions: 2 })
    const reasons = ['idle', 'age', 'capacity', 'deleted', 'replaced', 'closed']
    const expected = (counts: Record<string, number>) =>
      reasons.map((reason) => `ended_total{registry="chats",reason="${reason}"} ${counts[reason] ?? 0}`)

    expect(await samples(register, 'ended')).toEqual(expected({}))
    for (const id of ['a', 'b', 'c']) sessions.getOrCreate(id)
    sessions.delete('c')
    sessions.replace('b', [])
    clock.advance(1_000)
    sessions.sweep()

    expect(await samples(register, 'ended')).toEqual(
      expected({ capacity: 1, deleted: 1, replaced: 1, idle: 1 }),
    )
    stop()
    expect(await samples(register)).toEqual([])
  })

  it('count what the registry has counted since its construction', async () => {
    const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    sessions.getOrCreate('ada')
    sessions.getOrCreate('ada')
    const register = new Registry()
    onTestFinished(collect(sessions, { register }))

    const lines = ['created', 'loaded', 'hits', 'misses', 'turn_timeouts', 'archive_failures']
    expect(await samples(register, ...lines)).toEqual([
      'created_total{registry="chats"} 1',
      'loaded_total{registry="chats"} 0',
      'hits_total{registry="chats"} 1',
      'misses_total{registry="chats"} 1',
      'turn_timeouts_total{registry="chats"} 0',
      'archive_failures_total{registry="chats"} 0',
    ])
    // A counter that is read twice has not doubled.
    expect(await samples(register, 'created')).toEqual(['created_total{registry="chats"} 1'])
  })

  it('time turns, their waits and archives by the clock of the registry, in seconds', async () => {
    const archived = deferred()
    const { clock, sessions, register } = collectedRegistry({
      timeoutMs: 60_000,
      archive: () => archived.promise,
    })
    expect(await samples(register, 'turn_duration_seconds_count')).toEqual([
      'turn_duration_seconds_count{registry="chats"} 0',
    ])
    const end = deferred()
    const first = sessions.run('ada', () => end.promise)
    const second = sessions
      .run('ada', () => {
        throw new Error('the model is away')
      })
      .catch(() => {})
    clock.advance(2_000)
    end.resolve()
    await Promise.all([first, second])
    clock.advance(60_000)
    sessions.sweep()
    clock.advance(500)
    archived.resolve()
    await sessions.settled()

    const totals = (await samples(register)).filter((line) => /_(sum|count)\{/.test(line))
    expect(totals).toEqual([
      'turn_duration_seconds_sum{registry="chats"} 2',
      'turn_duration_seconds_count{registry="chats"} 2',
      'turn_wait_seconds_sum{registry="chats"} 2',
      'turn_wait_seconds_count{registry="chats"} 2',
      'archive_duration_seconds_sum{registry="chats"} 0.5',
      'archive_duration_seconds_count{registry="chats"} 1',
    ])
    expect(await samples(register, 'turns_failed')).toEqual(['turns_failed_total{registry="chats"} 1'])
    expect(await samples(register, 'turn_duration_seconds_bucket{le="2.5"')).toEqual([
      'turn_duration_seconds_bucket{le="2.5",registry="chats"} 2',
    ])
  })

  it('time the turns that exclude others: no nested run, and none that joins', async () => {
    const { clock, sessions, register } = collectedRegistry({ timeoutMs: 60_000 })
    const fails = () => Promise.reject(new Error('the model is away'))
    await sessions.run('ada', async () => {
      await sessions.run('ada', fails).catch(() => {})
      await sessions.run('ada', () => sessions.run('ada', () => {}), { whenBusy: 'join' })
      clock.advance(2_000)
    })
    await sessions.run('ada', fails, { whenBusy: 'join' }).catch(() => {})

    const totals = await samples(register, 'turn_duration_seconds_sum', 'turn_duration_seconds_count')
    expect(totals).toEqual([
      'turn_duration_seconds_sum{registry="chats"} 2',
      'turn_duration_seconds_count{registry="chats"} 1',
    ])
    expect(await samples(register, 'turn_wait_seconds_count')).toEqual([
      'turn_wait_seconds_count{registry="chats"} 1',
    ])
    expect(await samples(register, 'turns_failed')).toEqual(['turns_failed_total{registry="chats"} 0'])
  })

  it('do not count a turn that began before the call', async () => {
    const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    const watched = deferred()
    channel('tracing:session-registry:turn:asyncEnd').subscribe(ignore)
    onTestFinished(() => void channel('tracing:session-registry:turn:asyncEnd').unsubscribe(ignore))
    const turn = sessions.run('ada', () => watched.promise)
    const register = new Registry()
    onTestFinished(collect(sessions, { register }))
    watched.resolve()
    await turn

    expect(await samples(register, 'turn_duration_seconds_count')).toEqual([
      'turn_duration_seconds_count{registry="chats"} 0',
    ])
  })

  it('do not count a registry that was not given, though it has the same name', async () => {
    const { register } = collectedRegistry()
    const other = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    await other.run('ada', () => {})
    other.delete('ada')

    const lines = ['created', 'turn_duration_seconds_count', 'ended_total{registry="chats",reason="deleted"}']
    expect((await samples(register, ...lines)).map((line) => line.split(' ')[1])).toEqual(['0', '0', '0'])
  })
})

describe('collect: a scrape', () => {
  it('leaves out the figures that a registry fails to give, and never fails', async () => {
    const { sessions, register } = collectedRegistry()
    vi.spyOn(sessions, 'stats').mockImplementation(() => {
      throw new Error('away')
    })
    vi.spyOn(sessions, 'health').mockImplementation(() => {
      throw new Error('away')
    })

    expect(await samples(register, 'sessions', 'ready', 'created')).toEqual([])
    expect(await samples(register, 'ended_total{registry="chats",reason="idle"}')).toHaveLength(1)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['no numbers', { size: 'a', held: Number.NaN, running: -1, created: Number.POSITIVE_INFINITY }],
  ])('leaves out figures that are %s', async (_kind, stats) => {
    const { sessions, register } = collectedRegistry()
    vi.spyOn(sessions, 'stats').mockReturnValue(stats as never)

    expect(await samples(register, 'sessions', 'turns_running', 'created')).toEqual([])
  })

  it('shows no series of a name of which one registry fails', async () => {
    const { sessions, register } = collectedRegistry()
    const again = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    onTestFinished(collect(again, { register }))
    vi.spyOn(sessions, 'stats').mockImplementation(() => {
      throw new Error('away')
    })

    expect(await samples(register, 'sessions', 'created', 'ready')).toEqual(['ready{registry="chats"} 1'])
  })

  it('waits three seconds for figures, and asks once while it waits', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { sessions, register } = collectedRegistry()
    const stats = sessions.stats()
    const answer = deferred<typeof stats>()
    const asked = vi.spyOn(sessions, 'stats').mockReturnValue(answer.promise as never)
    let isDone = false
    const first = samples(register, 'sessions', 'ready').finally(() => {
      isDone = true
    })
    await vi.advanceTimersByTimeAsync(2_999)
    expect(isDone).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await first).toEqual(['ready{registry="chats"} 1'])

    const second = samples(register, 'sessions')
    await vi.advanceTimersByTimeAsync(10)
    answer.resolve(stats)
    expect(await second).toHaveLength(4)
    expect(asked).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('shows no id, owner or value', async () => {
    const { sessions, register } = collectedRegistry()
    const failure = new Error('secret-4711')
    await sessions.run('secret-4711', ({ value }) => value.push('secret-4711'), { owner: 'secret-4711' })
    await sessions.run('secret-4711', () => Promise.reject(failure)).catch(() => {})
    const text = await register.metrics()

    expect(text).not.toContain('4711')
    expect(text).not.toContain(sessions.ref('secret-4711'))
  })
})

function ignore(): void {}
