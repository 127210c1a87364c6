import { describe, expect, it } from 'vitest'
import { type DisposingRegistry, disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { FaultStore } from '../../support/fault-store.ts'
import { settle } from '../../support/settle.ts'
import { say } from '../../support/stored-registry.ts'

type End = (made: DisposingRegistry) => unknown

/** Every way in which a session ends, by its reason. Each session is named `a`. */
const ends: readonly [reason: string, end: End, options?: Parameters<typeof disposingRegistry>[0]][] = [
  [
    'idle',
    ({ clock, registry }) => {
      clock.advance(1_000)
      registry.sweep()
    },
  ],
  [
    'age',
    ({ clock, registry }) => {
      clock.advance(500)
      registry.sweep()
    },
    { maxAgeMs: 500 },
  ],
  ['capacity', ({ registry }) => registry.open('b'), { maxSessions: 1 }],
  ['deleted', ({ registry }) => registry.delete('a')],
  ['deleted', ({ registry }) => registry.clear()],
  ['replaced', ({ registry }) => registry.replace('a', ['new'])],
  ['closed', ({ registry }) => registry.close()],
]

describe('`dispose` of the value of a session that ends', () => {
  it.each(ends)('is called once, with the reason: %s', async (reason, end, options) => {
    const made = disposingRegistry({ mode: 'sync', ...options })
    const value = made.registry.getOrCreate('a')
    await end(made)
    await settle()

    expect(made.disposer.calls).toHaveLength(1)
    expect(made.disposer.at(0)).toMatchObject({ reason, archived: false })
    expect(made.disposer.at(0).value).toBe(value)
    await made.registry.close()
    expect(made.disposer.values.filter((one) => one === value)).toHaveLength(1)
  })

  it.each(ends)('comes before the session is told to have ended: %s', async (reason, end, options) => {
    const made = disposingRegistry({ mode: 'sync', ...options })
    made.registry.getOrCreate('a')
    await end(made)
    await settle()

    const expired = reason === 'idle' || reason === 'age' ? [`expired a ${reason}`] : []
    expect(made.lines.filter((line) => /^(dispose|expired|ended) a/.test(line))).toEqual([
      `dispose a ${reason}`,
      ...expired,
      `ended a ${reason}`,
    ])
  })

  it.each(ends)(
    'is awaited, and the session is told to have ended then: %s',
    async (reason, end, options) => {
      const made = disposingRegistry(options)
      const { registry, disposer, events } = made
      registry.getOrCreate('a')
      const ended = Promise.resolve(end(made))
      await settle()
      const ofA = () => events.lines.filter((line) => /^(expired|ended) a/.test(line))
      expect(ofA()).toEqual([])
      expect(registry.stats().disposing).toBe(1)
      disposer.at(0).resolve()
      await ended

      expect(ofA().at(-1)).toBe(`ended a ${reason}`)
      expect(registry.stats().disposing).toBe(0)
    },
  )

  it('settles as it returns where it returns no promise: its events come in the step of the end', () => {
    const { clock, registry, lines } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    registry.getOrCreate('b')
    registry.delete('a')
    expect(lines.splice(0)).toEqual(['created a', 'created b', 'dispose a deleted', 'ended a deleted'])
    clock.advance(1_000)

    expect(registry.get('b')).toBeUndefined()
    expect(lines).toEqual(['dispose b idle', 'expired b idle', 'ended b idle'])
    expect(registry.stats()).toMatchObject({ size: 0, disposing: 0, deleted: 1, expired: 1 })
  })

  it('counts an end when it is told, not when it begins', async () => {
    const { registry, disposer, clock } = disposingRegistry()
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    registry.delete('a')
    clock.advance(1_000)
    registry.sweep()
    expect(registry.stats()).toMatchObject({ size: 0, disposing: 2, deleted: 0, expired: 0 })
    disposer.at(0).resolve()
    disposer.at(1).resolve()
    await settle()

    expect(registry.stats()).toMatchObject({ disposing: 0, deleted: 1, expired: 1 })
  })

  it('runs beside that of other sessions', async () => {
    const { registry, disposer, lines } = disposingRegistry()
    const ids = Array.from({ length: 20 }, (_, index) => `id-${index}`)
    for (const id of ids) registry.getOrCreate(id)
    registry.clear()
    expect(disposer.values.flat()).toEqual(ids)
    lines.length = 0
    disposer.at(7).resolve()
    await settle()

    expect(lines).toEqual(['ended id-7 deleted'])
    expect(registry.stats().disposing).toBe(19)
  })

  it('is passed a session that no code has looked at, and `undefined` as a value', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync', create: () => undefined as never })
    registry.getOrCreate('a')
    registry.delete('a')

    expect(disposer.values).toEqual([undefined])
  })

  it('leaves the session readable, and its times stand still from the end of its use', async () => {
    const { registry, disposer, clock } = disposingRegistry()
    registry.getOrCreate('a')
    const session = registry.peek('a')
    clock.advance(300)
    registry.delete('a')
    clock.advance(400)
    disposer.at(0).resolve()
    await settle()

    expect(session).toMatchObject({ id: 'a', value: ['a'], idleMs: 300, ageMs: 300, held: false })
  })
})

describe('`archived`', () => {
  it('is true after a successful archive, and the archive comes first', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock, disposer, lines } = disposingRegistry({ archive: store.archive })
    registry.getOrCreate('a')
    clock.advance(1_000)
    registry.sweep()
    await settle()
    expect(disposer.calls).toEqual([])
    expect(registry.stats()).toMatchObject({ archiving: 1, disposing: 0 })
    store.last.succeed()
    await settle()
    expect(registry.stats()).toMatchObject({ archiving: 0, disposing: 1 })
    expect(lines).toEqual(['created a', 'dispose a idle archived'])
    disposer.at(0).resolve()
    await settle()

    expect(lines.slice(2)).toEqual(['expired a idle', 'ended a idle'])
  })

  it('is false for a session that is deleted or replaced, though there is an archive', () => {
    const store = new FakeArchive()
    const { registry, lines } = disposingRegistry({ mode: 'sync', archive: store.archive })
    registry.getOrCreate('a')
    registry.getOrCreate('b')
    registry.delete('a')
    registry.replace('b', ['new'])

    expect(lines.filter((line) => line.startsWith('dispose'))).toEqual([
      'dispose a deleted',
      'dispose b replaced',
    ])
    expect(store.calls).toEqual([])
  })

  it('is true where a store has the value, though nothing had to be written at the end', async () => {
    const store = new FaultStore()
    const { registry, clock, lines } = disposingRegistry({ mode: 'sync', store })
    await say(registry, 'a', 'hello')
    const puts = store.puts.length
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(lines).toContain('dispose a idle archived')
    expect(store.puts).toHaveLength(puts)
  })

  it('is false where an end by age deletes what the store had', async () => {
    const { registry, clock, lines } = disposingRegistry({
      mode: 'sync',
      maxAgeMs: 500,
      store: new FaultStore(),
    })
    await say(registry, 'a', 'hello')
    clock.advance(500)
    registry.sweep()
    await settle()

    expect(lines).toContain('dispose a age')
  })

  it('a session whose archive fails is not disposed of: it is live again', async () => {
    const store = new FakeArchive('failing')
    const { registry, clock, disposer } = disposingRegistry({
      mode: 'sync',
      archive: store.archive,
      archiveAttempts: 1,
    })
    registry.getOrCreate('a')
    clock.advance(1_000)
    registry.sweep()
    await settle()
    expect(disposer.calls).toEqual([])
    expect(registry.get('a')).toEqual(['a'])
    store.mode = 'instant'
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(disposer.calls).toMatchObject([{ value: ['a'], reason: 'idle', archived: true }])
  })
})
