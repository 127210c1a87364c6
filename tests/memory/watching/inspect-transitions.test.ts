import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { inspect } from '../../support/inspected.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { storedRegistry } from '../../support/stored-registry.ts'

describe('inspect(), of sessions that come and go', () => {
  it('a session that is loaded: who waits for it', async () => {
    const { load, at } = bound(new ManualLoad())
    const { registry, clock } = clockedRegistry({ load, timeoutMs: 1_000_000 })
    const opened = [registry.open('a', { owner: 'ada' }), registry.run('a', () => {})]
    clock.advance(250)
    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'loading', ageMs: 250, idleMs: 250, owner: 'ada', waiting: 2, holds: [] },
    ])
    at(0).resolve(['loaded'])
    await Promise.all(opened)

    expect(inspect(registry)).toMatchObject([{ id: 'a', state: 'active', ageMs: 0, owner: 'ada' }])
  })

  it('a loaded value that waits for room: is being loaded still', async () => {
    const archive = new FakeArchive('manual')
    archive.stored.set('a', ['stored'])
    const hooks = { archive: archive.archive, load: archive.load }
    const { registry } = clockedRegistry({ ...hooks, maxSessions: 1 })
    registry.replace('b', [])
    const opened = registry.open('a')
    await settle()
    expect(inspect(registry)).toMatchObject([
      { id: 'b', state: 'archiving', waiting: 0, attempts: 1 },
      { id: 'a', state: 'loading', waiting: 1 },
    ])
    archive.last.succeed()
    await opened

    expect(inspect(registry)).toMatchObject([{ id: 'a', state: 'active' }])
  })

  it('a session that is created: also one that `getOrCreate` began, and one that waits for room', async () => {
    const { create, at } = bound(new ManualCreate())
    const { registry, clock } = clockedRegistry({ create, maxSessions: 2, whenFull: 'reject' })
    const opened = registry.open('a')
    clock.advance(100)
    thrownBy(() => registry.getOrCreate('b', undefined, { owner: 'ada' }))
    clock.advance(100)
    const waits = registry.open('c')
    await settle()
    clock.advance(50)
    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'creating', ageMs: 250, idleMs: 250, waiting: 1, holds: [] },
      { id: 'b', state: 'creating', ageMs: 150, idleMs: 150, owner: 'ada', waiting: 0, holds: [] },
      { id: 'c', state: 'creating', ageMs: 50, idleMs: 50, waiting: 1, holds: [] },
    ])
    at(0).resolve(['made'])
    at(1).reject(new Error('failed'))
    registry.on('error', () => {})
    await opened
    await settle()
    at(2).resolve(['made'])
    await waits

    expect(inspect(registry).map(({ id, state }) => [id, state])).toEqual([
      ['a', 'active'],
      ['c', 'active'],
    ])
  })

  it('a value that is made for no one any more: is shown until its factory has settled', async () => {
    const { create, at } = bound(new ManualCreate())
    const { registry, clock } = clockedRegistry({ create })
    const controller = new AbortController()
    const opened = observe(registry.open('a', { signal: controller.signal, owner: 'ada' }))
    clock.advance(100)
    controller.abort()
    await opened.settled
    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'creating', ageMs: 100, idleMs: 100, owner: 'ada', waiting: 0, holds: [] },
    ])
    at(0).resolve(['late'])
    await settle()

    expect(inspect(registry)).toEqual([])
  })

  it('an archive: its attempts, and who waits for the id', async () => {
    const archive = new FakeArchive('manual')
    const hooks = { archive: archive.archive, load: archive.load }
    const { registry, clock } = clockedRegistry({ ...hooks, timeoutMs: 1_000, archiveConcurrency: 1 })
    registry.replace('a', [], { owner: 'ada' })
    registry.replace('b', [])
    clock.advance(1_200)
    registry.sweep()
    const opened = registry.run('a', () => {})
    await settle()
    expect(inspect(registry)).toEqual([
      {
        id: 'a',
        state: 'archiving',
        ageMs: 1_200,
        idleMs: 1_200,
        owner: 'ada',
        waiting: 1,
        holds: [],
        attempts: 1,
      },
      { id: 'b', state: 'archiving', ageMs: 1_200, idleMs: 1_200, waiting: 0, holds: [], attempts: 0 },
    ])
    archive.last.fail(new Error('down'))
    await settle()
    expect(inspect(registry)).toMatchObject([
      { id: 'a', attempts: 1 },
      { id: 'b', attempts: 1 },
    ])
    archive.mode = 'instant'
    archive.last.succeed()
    await clock.advanceAsync(1_000)
    await opened

    expect(inspect(registry)).toMatchObject([{ id: 'a', state: 'active', waiting: 0 }])
    expect(inspect(registry)[0]).not.toHaveProperty('attempts')
  })

  it('a disposal: who waits for the id, and the turn that still uses the value', async () => {
    const { registry, clock, disposer } = disposingRegistry({ timeoutMs: 10_000 })
    const turn = beginTurn(registry, 'a')
    clock.advance(200)
    registry.delete('a')
    const opened = registry.open('a')
    await settle()
    clock.advance(100)
    expect(disposer.calls).toEqual([])
    expect(inspect(registry)).toEqual([
      {
        id: 'a',
        state: 'disposing',
        ageMs: 300,
        idleMs: 100,
        running: { sinceMs: 300, whenBusy: 'wait' },
        waiting: 1,
        holds: [],
      },
    ])
    turn.end.resolve('')
    await turn.run.settled
    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'disposing', ageMs: 300, idleMs: 100, waiting: 1, holds: [] },
    ])
    disposer.at(0).resolve()
    await opened

    expect(inspect(registry)).toMatchObject([{ id: 'a', state: 'active', ageMs: 0 }])
  })

  it('a session that was not found, and is to be created: waits for room', async () => {
    const archive = new FakeArchive('manual')
    const hooks = { archive: archive.archive, load: archive.load }
    const { registry } = clockedRegistry({ ...hooks, maxSessions: 1 })
    registry.replace('b', [])
    const opened = registry.open('a')
    await settle()
    expect(inspect(registry)).toMatchObject([
      { id: 'b', state: 'archiving' },
      { id: 'a', state: 'creating', waiting: 1 },
    ])
    archive.last.succeed()
    await opened
  })

  it('a load beside the disposal of what an earlier one brought: an entry each', async () => {
    const hook = new ManualLoad()
    const { registry, disposer } = disposingRegistry({ load: hook.load })
    const opened = registry.open('a')
    registry.delete('a')
    await settle()
    hook.at(0).resolve(['late'])
    await settle()
    expect(inspect(registry)).toMatchObject([
      { id: 'a', state: 'disposing', waiting: 0 },
      { id: 'a', state: 'loading', waiting: 1 },
    ])
    hook.at(1).resolve(['loaded'])
    disposer.at(0).resolve()
    await opened
  })

  it('calls that wait until several lives are disposed of: are counted once', async () => {
    const { registry, disposer } = disposingRegistry()
    registry.replace('a', ['a'])
    registry.replace('a', ['a'])
    registry.delete('a')
    const opened = registry.open('a')
    await settle()
    expect(inspect(registry).map(({ state, waiting }) => [state, waiting])).toEqual([
      ['disposing', 1],
      ['disposing', 0],
    ])
    for (const call of disposer.calls) call.resolve()
    await opened
  })

  it('several lives of an id that are disposed of, and the next one: an entry each', () => {
    const { registry } = disposingRegistry()
    for (let life = 0; life < 3; life += 1) registry.replace('a', ['a'])

    expect(inspect(registry).map(({ id, state }) => [id, state])).toEqual([
      ['a', 'active'],
      ['a', 'disposing'],
      ['a', 'disposing'],
    ])
  })

  it('a value that never was a session: is shown while it is disposed of', async () => {
    const { load, at } = bound(new ManualLoad())
    const { registry, clock, disposer } = disposingRegistry({ load })
    const opened = observe(registry.open('a'))
    registry.replace('a', ['set'])
    await opened.settled
    clock.advance(50)
    at(0).resolve(['loaded'])
    await settle()
    clock.advance(30)

    expect(disposer.values).toEqual([['loaded']])
    expect(inspect(registry)).toEqual([
      { id: 'a', state: 'active', ageMs: 80, idleMs: 80, waiting: 0, holds: [] },
      { id: 'a', state: 'disposing', ageMs: 30, idleMs: 30, waiting: 0, holds: [] },
    ])
  })

  it('a deletion from the store that an open waits for: the session is going to be loaded', async () => {
    const { registry, store, clock } = storedRegistry()
    await registry.run('a', () => {})
    store.isBroken = true
    registry.delete('a')
    await clock.advanceAsync(0)
    const opened = registry.open('a')
    await clock.advanceAsync(0)
    expect(inspect(registry)).toMatchObject([{ id: 'a', state: 'loading', waiting: 1 }])
    store.isBroken = false
    await clock.advanceAsync(1_000)
    await opened

    expect(inspect(registry)).toMatchObject([{ id: 'a', state: 'active', waiting: 0 }])
  })

  it('a registry that closes: what it still waits for, and then nothing', async () => {
    const archive = new FakeArchive('manual')
    const { registry } = clockedRegistry({ archive: archive.archive })
    registry.set('a', [])
    const turn = beginTurn(registry, 'b')
    const closed = registry.close()
    expect(inspect(registry).map(({ id, state }) => [id, state])).toEqual([
      ['b', 'held'],
      ['a', 'archiving'],
    ])
    archive.mode = 'instant'
    archive.last.succeed()
    turn.end.resolve('')
    await closed

    expect(registry.inspect()).toEqual([])
    expect(await failureOf(() => registry.open('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })
})

/** A hook with its calls, without `this`. */
function bound<H extends { at(index: number): unknown }>(hook: H): H {
  return { ...hook, at: (index: number) => hook.at(index) } as H
}
