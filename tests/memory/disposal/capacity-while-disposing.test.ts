import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const full = sessionError('ERR_SESSION_REGISTRY_FULL')

describe('a synchronous creation at the cap', () => {
  it('takes the place of a victim whose disposal has settled as it returns', () => {
    const { registry, lines } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    registry.getOrCreate('a')
    registry.getOrCreate('b')
    registry.set('c', ['c'])

    expect(lines).toEqual([
      'created a',
      'dispose a capacity',
      'ended a capacity',
      'created b',
      'dispose b capacity',
      'ended b capacity',
      'created c',
    ])
  })

  it('begins to dispose of one session and is refused; it costs no second one, however often it tries', async () => {
    const create = vi.fn((id: string) => [id])
    const { registry, disposer, lines } = disposingRegistry({ maxSessions: 3, create })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    create.mockClear()
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(thrownBy(() => registry.getOrCreate('d'))).toEqual(full)
      expect(thrownBy(() => registry.set('d', []))).toEqual(full)
    }
    expect(disposer.values).toEqual([['a']])
    expect(create).not.toHaveBeenCalled()
    disposer.at(0).resolve()
    await settle()

    expect(registry.getOrCreate('d')).toEqual(['d'])
    expect([...registry.keys()].toSorted()).toEqual(['b', 'c', 'd'])
    expect(lines.filter((line) => line.startsWith('ended'))).toEqual(['ended a capacity'])
  })

  it('with `whenFull: reject` disposes of nothing', () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 1, whenFull: 'reject' })
    registry.getOrCreate('a')

    expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(full)
    expect(disposer.calls).toEqual([])
  })

  it('has its place before `create` is called, which may throw', () => {
    const failure = new Error('no browser')
    const { registry, disposer } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    registry.getOrCreate('a')
    const create = () => {
      expect(registry.stats()).toMatchObject({ size: 0, disposing: 0 })
      throw failure
    }

    expect(thrownBy(() => registry.getOrCreate('b', create))).toBe(failure)
    expect(disposer.values).toEqual([['a']])
    expect(registry.getOrCreate('c')).toEqual(['c'])
    expect(disposer.calls).toHaveLength(1)
  })

  it('keeps its place while `create` runs', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    registry.getOrCreate('a', () => {
      expect(thrownBy(() => registry.getOrCreate('b'))).toEqual(full)
      return ['a']
    })

    expect([...registry.keys()]).toEqual(['a'])
    expect(disposer.calls).toEqual([])
  })

  it('throws before `create` is called where all sessions are held', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    beginTurn(registry, 'a')
    const create = vi.fn(() => [])

    expect(thrownBy(() => registry.getOrCreate('b', create))).toEqual(full)
    expect(create).not.toHaveBeenCalled()
    expect(disposer.calls).toEqual([])
  })

  it('ends expired sessions first', () => {
    const { registry, clock, lines } = disposingRegistry({ mode: 'sync', maxSessions: 2 })
    registry.getOrCreate('a', undefined, { timeoutMs: 10_000 })
    registry.getOrCreate('b')
    clock.advance(1_000)
    registry.getOrCreate('c')

    expect(lines).toContain('ended b idle')
    expect([...registry.keys()].toSorted()).toEqual(['a', 'c'])
  })
})

describe('`open` and `run` at the cap', () => {
  it('wait for the disposal, first come first served', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 1 })
    registry.getOrCreate('a')
    const order: string[] = []
    const opens = ['b', 'c', 'd'].map((id) => registry.open(id).then(() => order.push(id)))
    for (let index = 0; index < 3; index += 1) {
      await settle()
      expect(order).toHaveLength(index)
      expect(disposer.calls).toHaveLength(index + 1)
      disposer.at(index).resolve()
    }
    await Promise.all(opens)

    expect(order).toEqual(['b', 'c', 'd'])
    expect(disposer.values).toEqual([['a'], ['b'], ['c']])
  })

  it('do not call `create` before the value of the victim is disposed of', async () => {
    const create = vi.fn((id: string) => [id])
    const { registry, disposer } = disposingRegistry({ maxSessions: 1, create })
    registry.getOrCreate('a')
    const opened = observe(registry.open('b'))
    await settle()
    expect(create).toHaveBeenCalledTimes(1)
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['b'])
  })

  it('wait for an archive and then for the disposal', async () => {
    const store = new FakeArchive('manual')
    const { registry, disposer } = disposingRegistry({ maxSessions: 1, archive: store.archive })
    registry.getOrCreate('a')
    const opened = observe(registry.open('b'))
    await settle()
    store.last.succeed()
    await settle()
    expect([opened.state, disposer.calls.length]).toEqual(['pending', 1])
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['b'])
  })

  it('dispose of as many sessions as there are waiting calls, and no more', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 4 })
    for (const id of ['a', 'b', 'c', 'd']) registry.getOrCreate(id)
    for (const id of ['e', 'f', 'f']) observe(registry.open(id))
    await settle()

    expect(disposer.values).toEqual([['a'], ['b']])
  })

  it('cost one session together with a synchronous creation that was refused before', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 2 })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    expect(thrownBy(() => registry.getOrCreate('c'))).toEqual(full)
    const opened = observe(registry.open('c'))
    await settle()
    expect(disposer.values).toEqual([['a']])
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['c'])
    expect([...registry.keys()].toSorted()).toEqual(['b', 'c'])
  })

  it('are not overtaken by a synchronous creation', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 1 })
    registry.getOrCreate('a')
    const opened = observe(registry.open('b'))
    registry.once('ended', () => expect(thrownBy(() => registry.getOrCreate('c'))).toEqual(full))
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['b'])
    expect([...registry.keys()]).toEqual(['b'])
    expect(registry.stats().listenerErrors).toBe(0)
  })

  it('wait for a disposal with `whenFull: reject` too', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 1, whenFull: 'reject' })
    registry.getOrCreate('a')
    expect(await failureOf(() => registry.open('b'))).toEqual(full)
    registry.delete('a')
    const opened = observe(registry.open('b'))
    await settle()
    expect(opened.state).toBe('pending')
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['b'])
  })

  it('are refused where all sessions are held', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 1 })
    beginTurn(registry, 'a')

    expect(await failureOf(() => registry.open('b'))).toEqual(full)
    expect(disposer.calls).toEqual([])
  })

  it('go on after a disposal that failed', async () => {
    const { registry } = disposingRegistry({ mode: 'throwing', maxSessions: 1 })
    registry.getOrCreate('a')

    expect(await registry.open('b')).toEqual(['b'])
  })
})

describe('`replace` at the cap', () => {
  it('needs a place beside the old value, at the cost of another session', () => {
    const { registry, lines } = disposingRegistry({ mode: 'sync', maxSessions: 2 })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    lines.length = 0
    registry.replace('a', ['new'])

    expect(lines).toEqual([
      'dispose b capacity',
      'ended b capacity',
      'dispose a replaced',
      'created a',
      'ended a replaced',
    ])
    expect([...registry]).toEqual([['a', ['new']]])
  })

  it('throws where the room takes time, once it has begun to make it; the session is untouched', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 2 })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(thrownBy(() => registry.replace('a', ['new']))).toEqual(full)
    expect(registry.get('a')).toEqual(['a'])
    expect(disposer.values).toEqual([['b']])
    disposer.at(0).resolve()
    await settle()
    registry.replace('a', ['new'])

    expect(registry.get('a')).toEqual(['new'])
  })

  it.each([
    ['it is the only session', 1, 'evict', false],
    ['all others are held', 2, 'evict', true],
    ['`whenFull` is `reject`', 2, 'reject', false],
  ] as const)('throws where %s; the session is untouched', (_, maxSessions, whenFull, isHeld) => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync', maxSessions, whenFull })
    registry.getOrCreate('a')
    if (maxSessions === 2) registry.getOrCreate('b')
    if (isHeld) registry.hold('b')

    expect(thrownBy(() => registry.replace('a', ['new']))).toEqual(full)
    expect(registry.get('a')).toEqual(['a'])
    expect(disposer.calls).toEqual([])
  })

  it('takes the place of an expired session of the id', () => {
    const { registry, clock, lines } = disposingRegistry({ mode: 'sync', maxSessions: 1 })
    registry.getOrCreate('a')
    clock.advance(1_000)
    registry.replace('a', ['new'])

    expect(lines).toEqual(['created a', 'dispose a idle', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('never has more values than places while old ones are disposed of', async () => {
    const { registry, disposer } = disposingRegistry({ maxSessions: 3 })
    registry.getOrCreate('a')
    registry.replace('a', ['second'])
    registry.replace('a', ['third'])
    expect(thrownBy(() => registry.replace('a', ['fourth']))).toEqual(full)
    expect(registry.stats()).toMatchObject({ size: 1, disposing: 2 })
    disposer.at(0).resolve()
    await settle()
    registry.replace('a', ['fourth'])

    expect(registry.stats()).toMatchObject({ size: 1, disposing: 2 })
  })
})
