import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { failureOf } from '../../support/session-error.ts'

describe('a turn', () => {
  it('begins, and holds its session, before `run` returns', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    registry.getOrCreate('a')
    clock.advance(999)
    const { session } = beginTurn(registry, 'a')
    clock.advance(1)

    expect(session.held).toBe(true)
    expect(registry.sweep()).toBe(0)
    expect(registry.has('a')).toBe(true)
    expect(registry.stats().held).toBe(1)
  })

  it('begins at once on a session that it creates, after `created`', () => {
    const { registry, events } = clockedRegistry()
    const seen: string[][] = []
    registry.run('a', () => seen.push(events.take()))

    expect(seen).toEqual([['created a']])
  })

  it('gets a new session exactly at the expiry of the old one', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    registry.set('a', ['old'])
    clock.advance(1_000)

    expect(await registry.run('a', (session) => [...session.value])).toEqual([])
    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('restarts the idle time of its session when it ends', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    const turn = beginTurn(registry, 'a')
    clock.advance(900)
    expect(turn.session.idleMs).toBe(0)
    turn.end.resolve('done')
    await turn.run.settled
    clock.advance(999)
    expect(registry.has('a')).toBe(true)
    clock.advance(1)

    expect(registry.has('a')).toBe(false)
  })

  it('past `maxAgeMs`: its session expires as soon as the turn settles', async () => {
    const { registry, clock, events } = clockedRegistry({ maxAgeMs: 1_000, intervalMs: 100 })
    const turn = beginTurn(registry, 'a')
    clock.advance(5_000)
    expect(registry.has('a')).toBe(true)
    turn.end.resolve('done')
    await turn.run.settled

    expect(turn.run.value).toBe('done')
    expect(registry.has('a')).toBe(false)
    clock.advance(100)
    expect(events.take()).toEqual(['created a', 'expired a age', 'ended a age'])
  })

  it('gets the same session as every other call', () => {
    const { registry } = clockedRegistry()
    const { session } = beginTurn(registry, 'a')

    expect(session).toBe(registry.peek('a'))
  })

  it.each([
    ['returns a value', () => 7],
    ['returns a promise', async () => 7],
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what this is about
    ['returns a foreign promise', () => ({ then: (done: (value: number) => void) => done(7) })],
  ])('that %s settles with that', async (_what, turn) => {
    const { registry } = clockedRegistry()

    expect(await registry.run('a', turn as () => number)).toBe(7)
    expect(registry.stats().held).toBe(0)
  })

  it('leaves no timer and no hold behind', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: Number.POSITIVE_INFINITY })
    await registry.run('a', () => {})
    await failureOf(() => registry.run('a', () => Promise.reject(new Error('failed'))))

    expect(clock.pending).toBe(0)
    expect(registry.stats()).toMatchObject({ size: 1, held: 0, turns: 2 })
  })
})
