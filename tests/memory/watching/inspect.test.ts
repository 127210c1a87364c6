import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { inspect } from '../../support/inspected.ts'
import { observe } from '../../support/observed-promise.ts'

describe('inspect()', () => {
  it('an empty registry: nothing', () => {
    expect(clockedRegistry().registry.inspect()).toEqual([])
  })

  it('active and expired sessions: have their times, and no field that says nothing', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    registry.getOrCreate('a', undefined, { owner: 'ada' })
    clock.advance(600)
    registry.set('b', [])
    registry.touch('a')
    clock.advance(400)
    registry.touch('b')
    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'active', ageMs: 1_000, idleMs: 400, owner: 'ada', waiting: 0, holds: [] },
      { id: 'b', state: 'active', ageMs: 400, idleMs: 0, waiting: 0, holds: [] },
    ])
    clock.advance(999)
    expect(inspect(registry).map(({ id, state }) => [id, state])).toEqual([
      ['a', 'expired'],
      ['b', 'active'],
    ])
    clock.advance(1)

    expect(inspect(registry)[1]).toEqual({
      id: 'b',
      state: 'expired',
      ageMs: 1_400,
      idleMs: 1_000,
      waiting: 0,
      holds: [],
    })
  })

  it('is no activity, creates nothing, and retires nothing', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    registry.set('a', [])
    registry.set('b', [])
    events.take()
    clock.advance(999)
    registry.touch('b')
    registry.inspect()
    clock.advance(1)
    const before = registry.stats()
    expect(registry.inspect()).toHaveLength(2)

    expect(registry.stats()).toEqual(before)
    expect(events.take()).toEqual([])
    expect(registry.has('a')).toBe(false)
    expect([...registry.keys()]).toEqual(['b'])
  })

  it('a held session: who runs, who waits, and its holds', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
    const turn = beginTurn(registry, 'a', { whenBusy: 'reject' })
    const waiting = [1, 2].map(() => observe(registry.run('a', () => {})))
    clock.advance(300)
    const hold = registry.hold('a')
    clock.advance(200)
    using _other = registry.hold('a')
    clock.advance(5_000)
    expect(inspect(registry)).toEqual([
      {
        id: 'a',
        state: 'held',
        ageMs: 5_500,
        idleMs: 0,
        running: { sinceMs: 5_500, whenBusy: 'reject' },
        waiting: 2,
        holds: [{ sinceMs: 5_200 }, { sinceMs: 5_000 }],
      },
    ])
    hold?.renew()
    expect(inspect(registry)[0]?.holds).toEqual([{ sinceMs: 5_200 }, { sinceMs: 5_000 }])
    hold?.release()
    turn.end.resolve('')
    await Promise.all(waiting.map(({ settled }) => settled))

    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'held', ageMs: 5_500, idleMs: 0, waiting: 0, holds: [{ sinceMs: 5_000 }] },
    ])
  })

  it('turns that join: the first of them runs, unless another turn excludes others', async () => {
    const { registry, clock } = clockedRegistry({ create: () => [] })
    registry.set('a', [])
    const end = deferred()
    const joined = registry.run('a', () => end.promise, { whenBusy: 'join' })
    clock.advance(100)
    const other = registry.run('a', () => end.promise, { whenBusy: 'join' })
    expect(inspect(registry)[0]?.running).toEqual({ sinceMs: 100, whenBusy: 'join' })
    const turn = beginTurn(registry, 'a')
    clock.advance(50)
    expect(inspect(registry)[0]).toMatchObject({ running: { sinceMs: 50, whenBusy: 'wait' }, waiting: 0 })
    turn.end.resolve('')
    end.resolve()
    await Promise.all([joined, other, turn.run.settled])

    expect(inspect(registry)[0]).toMatchObject({ state: 'active', waiting: 0 })
    expect(inspect(registry)[0]).not.toHaveProperty('running')
  })

  it('a turn that is about to begin: waits', async () => {
    const { registry } = clockedRegistry()
    const seen: unknown[] = []
    registry.on('created', () => seen.push(...inspect(registry).map(({ id, waiting }) => [id, waiting])))
    await registry.run('a', () => {})
    await registry.run('b', () => {}, { whenBusy: 'join' })

    expect(seen).toEqual([
      ['a', 1],
      ['a', 0],
      ['b', 1],
    ])
  })

  it('a nested turn that outlives one which joins: runs', async () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const end = deferred()
    let nested: Promise<void> | undefined
    await registry.run(
      'a',
      () => {
        nested = registry.run('a', () => end.promise)
      },
      { whenBusy: 'join' },
    )
    expect(inspect(registry)).toMatchObject([{ state: 'held', running: { sinceMs: 0, whenBusy: 'wait' } }])
    end.resolve()
    await nested
  })

  it('a nested turn: the outer one runs', async () => {
    const { registry, clock } = clockedRegistry()
    const end = deferred()
    const outer = registry.run('a', async () => {
      clock.advance(100)
      await registry.run('a', () => end.promise)
    })
    expect(inspect(registry)[0]).toMatchObject({ running: { sinceMs: 100, whenBusy: 'wait' }, waiting: 0 })
    end.resolve()
    await outer
  })

  it('has a plain form, without values', () => {
    const { registry } = clockedRegistry()
    registry.set('a', ['secret'])

    expect(JSON.stringify(registry.inspect())).not.toContain('secret')
    expect(Object.getPrototypeOf(registry.inspect()[0])).toBe(Object.prototype)
  })
})
