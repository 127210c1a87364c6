import { LRUCache } from 'lru-cache'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

// A cap that evicts a pending entry: lru-cache's `fetch` rejects its waiting callers.
describe('the cap and sessions in use', () => {
  it('makes lru-cache reject calls that wait for a fetch', async () => {
    const answer = deferred<string>()
    const cache = new LRUCache<string, string>({ max: 1, fetchMethod: () => answer.promise })
    const fetched = observe(cache.fetch('a'))
    cache.set('b', 'pushes a out')
    answer.resolve('late')
    await fetched.settled

    expect(fetched.state).toBe('rejected')
  })

  it('leaves a load that a call waits for', async () => {
    const answer = deferred<string[]>()
    const { registry } = clockedRegistry({ maxSessions: 1, load: () => answer.promise })
    const opened = observe(registry.open('a'))
    registry.set('b', [])
    registry.set('c', [])
    answer.resolve(['loaded'])
    await opened.settled

    expect(opened.value).toEqual(['loaded'])
    expect(registry.get('a')).toEqual(['loaded'])
    expect(registry.size).toBe(1)
  })

  it('evicts no session that is held or in a turn', async () => {
    const { registry, events } = clockedRegistry({ maxSessions: 3 })
    const finish = deferred()
    registry.set('held', [])
    registry.hold('held')
    const turn = registry.run('in a turn', () => finish.promise)
    registry.set('free', [])
    registry.set('new', [])
    expect(events.lines.filter((line) => line.startsWith('ended'))).toEqual(['ended free capacity'])
    registry.hold('new')

    expect(thrownBy(() => registry.set('one too many', []))).toEqual(
      sessionError('ERR_SESSION_REGISTRY_FULL'),
    )
    expect([...registry.keys()].toSorted()).toEqual(['held', 'in a turn', 'new'])
    finish.resolve()
    await turn
  })
})

// A session evicted during a turn, whose answer was written into an orphan
// (modelcontextprotocol/python-sdk#2455, LanternOps/breeze#4384, rcarmo/piclaw#777: the sweep fired 12 ms
// into the turn, before "busy" was set).
describe('a turn and its session', () => {
  it('is under way before run returns, so that no sweep can intervene', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', [])
    clock.advance(999)
    const turn = registry.run('a', (session) => session.value.push('answer'))
    clock.advance(1)
    expect(registry.sweep()).toBe(0)
    await turn

    expect(registry.get('a')).toEqual(['answer'])
  })

  it('writes into the live session however long it takes', async () => {
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 1_000,
      intervalMs: 100,
      maxAgeMs: 2_000,
      maxSessions: 1,
      maxTurnMs: 60_000,
    })
    const answer = deferred<string>()
    const turn = registry.run('a', async (session) => session.value.push(await answer.promise))
    clock.advance(30_000)
    expect(thrownBy(() => registry.set('b', []))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    expect(registry.peek('a')?.held).toBe(true)
    const session = registry.peek('a')
    answer.resolve('at last')
    await turn

    expect(session?.value).toEqual(['at last'])
    expect(events.lines.slice(0, 1)).toEqual(['created a'])
  })

  // Two turns at once on one history (NousResearch/hermes-agent#64934, lucianfialho/effect-gates#64).
  it('never runs concurrently with another exclusive turn of the session', async () => {
    const { registry } = clockedRegistry()
    const answers = [deferred(), deferred(), deferred()]
    const turns = answers.map((answer, index) =>
      registry.run('a', async (session) => {
        session.value.push(`question ${index}`)
        await answer.promise
        session.value.push(`answer ${index}`)
      }),
    )
    for (const answer of answers.toReversed()) {
      answer.resolve()
      await settle()
    }
    await Promise.all(turns)

    expect(registry.get('a')).toEqual([0, 1, 2].flatMap((index) => [`question ${index}`, `answer ${index}`]))
  })
})

// A busy flag that is never cleared keeps sessions for ever (n8n-io/n8n PR #33752).
describe('a hold that is never released', () => {
  it('ends after maxHoldMs, with an error, and its session can expire', () => {
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 1_000,
      intervalMs: 1_000,
      maxHoldMs: 5_000,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.getOrCreate('a')
    registry.hold('a')
    clock.advance(4_999)
    expect(registry.peek('a')?.held).toBe(true)
    clock.advance(1)
    expect(registry.peek('a')?.held).toBe(false)
    expect(errors).toEqual([sessionError('ERR_SESSION_TURN_TIMEOUT')])
    clock.advance(1_000)

    expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle'])
  })

  it('so does a turn that never settles', async () => {
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      intervalMs: 1_000,
      maxTurnMs: 4_000,
      turnGraceMs: 1_000,
    })
    const turn = observe(registry.run('a', () => new Promise(() => {})))
    await clock.advanceAsync(7_000)

    expect(turn.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(registry.size).toBe(0)
  })
})
