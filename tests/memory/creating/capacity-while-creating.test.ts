import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const full = sessionError('ERR_SESSION_REGISTRY_FULL')

/** Registries with and without `dispose` and `archive`: what is being made counts in each. */
const kinds: readonly [name: string, make: typeof plain][] = [
  ['without `dispose`', plain],
  ['with `dispose`', (options) => withCreate(options, (all) => disposingRegistry({ mode: 'sync', ...all }))],
  [
    'with `archive`',
    (options) =>
      withCreate(options, (all) => clockedRegistry({ archive: new FakeArchive().archive, ...all })),
  ],
]

type Options = NonNullable<Parameters<typeof clockedRegistry>[0]>

function plain(options: Options) {
  return withCreate(options, clockedRegistry)
}

function withCreate(options: Options, make: (options: Options) => ReturnType<typeof clockedRegistry>) {
  const making = new ManualCreate()
  const { registry, clock, events } = make({ create: making.create, ...options })
  return { making, registry, clock, events }
}

describe.each(kinds)('a value that is being made, %s', (_, make) => {
  it('counts towards the capacity', async () => {
    const { registry, making } = make({ maxSessions: 2 })
    const opens = ['a', 'b', 'c'].map((id) => observe(registry.open(id)))
    await settle()
    expect(making.ids).toEqual(['a', 'b'])
    expect(thrownBy(() => registry.set('d', []))).toEqual(full)
    expect(thrownBy(() => registry.replace('d', []))).toEqual(full)
    expect(thrownBy(() => registry.getOrCreate('d', () => []))).toEqual(full)
    for (const call of making.calls) call.resolve([call.id])
    await settle()
    expect(opens.map(({ value }) => value)).toEqual([['a'], ['b'], undefined])
    expect(making.ids).toEqual(['a', 'b', 'c'])
    making.at(2).resolve(['c'])
    await settle()

    expect(opens[2]?.value).toEqual(['c'])
    expect(registry.size).toBe(2)
  })

  it('is not refused its place though all places are taken by values that are being made', async () => {
    const { registry, making } = make({ maxSessions: 1 })
    const opens = ['a', 'b', 'c'].map((id) => observe(registry.open(id)))
    for (let index = 0; index < 3; index += 1) {
      await settle()
      making.at(index).resolve([])
    }
    await settle()

    expect(opens.map(({ state }) => state)).toEqual(Array(3).fill('fulfilled'))
    expect(making.ids).toEqual(['a', 'b', 'c'])
  })

  it('has its place before its factory is called: a session is evicted for it, also if it fails', async () => {
    const { registry, making, events } = make({ maxSessions: 1 })
    registry.set('a', ['a'])
    const opened = observe(registry.open('b'))
    await settle()
    expect(events.take()).toEqual(['created a', 'ended a capacity'])
    expect(making.ids).toEqual(['b'])
    making.at(0).reject(new Error('no browser'))
    await settle()

    expect(opened.state).toBe('rejected')
    expect(registry.size).toBe(0)
  })

  it('frees its place when it fails: the next call goes on', async () => {
    const { registry, making } = make({ maxSessions: 1 })
    observe(registry.open('a'))
    observe(registry.open('b'))
    making.at(0).reject(new Error('no browser'))
    await settle()

    expect(making.ids).toEqual(['a', 'b'])
  })

  it('calls no factory where all sessions are held, unless something is being made', async () => {
    const { registry, making } = make({ maxSessions: 2 })
    observe(registry.open('a'))
    making.at(0).resolve(['a'])
    await settle()
    beginTurn(registry, 'a')
    const second = observe(registry.open('b'))
    const third = observe(registry.open('c'))
    await settle()
    expect([making.ids, third.state]).toEqual([['a', 'b'], 'pending'])
    making.at(1).reject(new Error('no browser'))
    await settle()
    expect([second.state, making.ids]).toEqual(['rejected', ['a', 'b', 'c']])
    making.at(2).resolve(['c'])
    await settle()
    registry.hold('c')

    expect(await failureOf(() => registry.open('d'))).toEqual(full)
    expect(making.ids).toEqual(['a', 'b', 'c'])
  })

  it('takes one place for many calls of its id', async () => {
    const { registry, making } = make({ maxSessions: 2 })
    for (let count = 0; count < 10; count += 1) observe(registry.open('a'))
    observe(registry.open('b'))
    await settle()

    expect(making.ids).toEqual(['a', 'b'])
  })

  it('frees its place when its callers leave before it has begun', async () => {
    const { registry, making } = make({ maxSessions: 1 })
    const controller = new AbortController()
    observe(registry.open('a'))
    const gone = observe(registry.open('b', { signal: controller.signal }))
    observe(registry.open('c'))
    controller.abort('gone')
    making.at(0).reject(new Error('no browser'))
    await settle()

    expect(gone.error).toBe('gone')
    expect(making.ids).toEqual(['a', 'c'])
  })
})

describe('a value that is being made', () => {
  it('is not evicted, nor does it cost a session more than once', async () => {
    const { registry, making, events } = plain({ maxSessions: 2 })
    registry.set('a', [])
    registry.set('b', [])
    const opened = observe(registry.open('c'))
    await settle()
    for (let attempt = 0; attempt < 3; attempt += 1) observe(registry.open('c'))
    await settle()
    expect(events.take().filter((line) => line.startsWith('ended'))).toEqual(['ended a capacity'])
    making.at(0).resolve(['c'])
    await settle()

    expect(opened.value).toEqual(['c'])
    expect([...registry.keys()].toSorted()).toEqual(['b', 'c'])
  })

  it('keeps the process alive', async () => {
    const clock = new TrackingClock()
    const { registry, making } = plain({ clock, timeoutMs: Number.POSITIVE_INFINITY })
    const opened = registry.open('a')
    expect(clock.refed).toBe(1)
    making.at(0).resolve([])
    await opened

    expect(clock.waiting.size).toBe(0)
  })
})

describe('a loaded value that waits for its place', () => {
  it('is the one exception: it exists beside as many values as there are places', async () => {
    const { registry, disposer, lines } = disposingRegistry({ maxSessions: 1, load: async () => ['loaded'] })
    registry.set('a', ['a'])
    const opened = observe(registry.open('b'))
    await settle()
    expect([opened.state, disposer.values]).toEqual(['pending', [['a']]])
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['loaded'])
    expect(lines).toEqual(['created a', 'dispose a capacity', 'ended a capacity', 'created b'])
  })
})
