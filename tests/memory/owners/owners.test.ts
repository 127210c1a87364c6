import type { Session } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'

const notOwner = sessionError('ERR_SESSION_NOT_OWNER')
const ownerFull = sessionError('ERR_SESSION_OWNER_FULL')

describe('the owner of a session', () => {
  it('is bound when the session is created, by every call that creates', async () => {
    const { registry } = clockedRegistry()
    registry.getOrCreate('a', undefined, { owner: 'ada' })
    registry.set('b', [], { owner: 'ada' })
    registry.replace('c', [], { owner: 'ada' })
    await registry.open('d', { owner: 'ada' })
    await registry.run('e', () => {}, { owner: 'ada' })
    const hold = await registry.acquire('f', { owner: 'ada' })
    hold.release()
    for await (const part of registry.stream('g', emptyStream, { owner: 'ada' }))
      expect.unreachable(`${part}`)

    expect([...registry.sessions()].map(({ owner }) => owner)).toEqual(Array(7).fill('ada'))
    expect([...registry.ownedBy('ada')].map(({ id }) => id).toSorted()).toEqual([...'abcdefg'])
    expect(JSON.parse(JSON.stringify(registry.peek('a')))).toMatchObject({ id: 'a', owner: 'ada' })
  })

  it.each(['bob', 'ada '])('refuses %j, which is no activity and changes nothing', async (owner) => {
    const { registry, clock } = clockedRegistry()
    registry.set('a', ['value'], { owner: 'ada' })
    clock.advance(100)

    expect(thrownBy(() => registry.getOrCreate('a', undefined, { owner }))).toEqual(notOwner)
    expect(thrownBy(() => registry.set('a', [], { owner }))).toEqual(notOwner)
    expect(thrownBy(() => registry.replace('a', [], { owner }))).toEqual(notOwner)
    expect(thrownBy(() => registry.hold('a', { owner }))).toEqual(notOwner)
    expect(await failureOf(() => registry.open('a', { owner }))).toEqual(notOwner)
    expect(await failureOf(() => registry.acquire('a', { owner }))).toEqual(notOwner)
    expect(await failureOf(() => registry.run('a', () => {}, { owner }))).toEqual(notOwner)
    expect(await failureOf(() => registry.stream('a', emptyStream, { owner }).next())).toEqual(notOwner)
    expect(registry.peek('a')).toMatchObject({ value: ['value'], idleMs: 100, held: false })
  })

  it('finds the sessions of an owner whenever it is first asked for them, and from then on', () => {
    const { registry } = clockedRegistry()
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [], { owner: 'ada' })
    registry.set('e', [], { owner: 'bob' })
    registry.delete('b')
    const assigned = registry.peek('c') as Session<string[]>
    assigned.owner = 'bob'
    const idsOf = (owner: string) => [...registry.ownedBy(owner)].map(({ id }) => id).toSorted()
    expect([idsOf('ada'), idsOf('bob'), idsOf('eve')]).toEqual([['a', 'd'], ['c', 'e'], []])

    registry.set('f', [], { owner: 'ada' })
    registry.delete('a')
    assigned.owner = undefined
    expect([idsOf('ada'), idsOf('bob')]).toEqual([['d', 'f'], ['e']])
    expect([registry.peek('d')?.owner, registry.peek('e')?.owner]).toEqual(['ada', 'bob'])
  })

  it('refuses an owner where none is bound; calls without an owner are not checked', async () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    registry.set('b', [], { owner: 'ada' })

    expect(await failureOf(() => registry.open('a', { owner: 'ada' }))).toEqual(notOwner)
    expect(await registry.open('b')).toEqual([])
    expect(registry.getOrCreate('b')).toEqual([])
  })

  it('is assignable', () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const session = registry.peek('a')
    if (session === undefined) expect.unreachable()
    session.owner = 'ada'
    expect([...registry.ownedBy('ada')]).toEqual([session])
    session.owner = undefined

    expect([...registry.ownedBy('ada')]).toEqual([])
    expect(
      thrownBy(() => {
        session.owner = ''
      }),
    ).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })

  it('of several calls that wait to make a session, is that of the first', async () => {
    const { registry } = clockedRegistry({ create: async () => [] })
    const calls = ['ada', 'bob', undefined].map((owner) => registry.open('a', { owner }))
    const outcomes = await Promise.allSettled(calls)

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: notOwner })
    expect(registry.peek('a')?.owner).toBe('ada')
  })

  it('is told to `load`, and bound to what it returns', async () => {
    const owners: unknown[] = []
    const { registry } = clockedRegistry({
      load: (_id, { owner }) => {
        owners.push(owner)
        return ['loaded']
      },
    })
    await registry.open('a', { owner: 'ada' })
    await registry.open('b')

    expect(owners).toEqual(['ada', undefined])
    expect(registry.peek('a')?.owner).toBe('ada')
    expect(registry.peek('b')?.owner).toBe(undefined)
  })

  it('survives in a store, which says whose a session is', async () => {
    const store = new MemoryStore()
    const first = clockedRegistry({ store }).registry
    await first.run('a', ({ value }) => value.push('one'), { owner: 'ada' })
    const second = clockedRegistry({ store }).registry

    expect(await failureOf(() => second.run('a', () => {}, { owner: 'bob' }))).toEqual(notOwner)
    expect(second.size).toBe(0)
    expect(await second.open('a', { owner: 'ada' })).toEqual(['one'])
    expect(second.peek('a')?.owner).toBe('ada')
    expect(thrownBy(() => second.set('b', [], { owner: 'ada' }))).toEqual(
      sessionError('ERR_SESSION_NEEDS_OPEN'),
    )
  })
})

describe('`replace` with an owner', () => {
  it.each(['archive', 'store'] as const)(
    'refuses what has expired, and is another owner’s: %s',
    async (kind) => {
      const options =
        kind === 'store' ? { store: new MemoryStore() } : { archive: () => new Promise(() => {}) }
      const { registry, clock } = clockedRegistry({ ...options, timeoutMs: 1_000, intervalMs: 1_000_000 })
      await registry.run('a', ({ value }) => value.push('of ada'), { owner: 'ada' })
      clock.advance(1_000)

      expect(thrownBy(() => registry.replace('a', [], { owner: 'bob' }))).toEqual(notOwner)
      expect(registry.stats()).toMatchObject({ size: 1, archiving: 0 })
    },
  )

  it('refuses what is being archived, and is another owner’s', () => {
    const { registry, clock } = clockedRegistry({ archive: () => new Promise(() => {}), timeoutMs: 1_000 })
    registry.set('a', ['of ada'], { owner: 'ada' })
    clock.advance(1_000)
    registry.sweep()

    expect(thrownBy(() => registry.replace('a', [], { owner: 'bob' }))).toEqual(notOwner)
    expect(registry.stats().archiving).toBe(1)
    registry.replace('a', [], { owner: 'ada' })
    expect(registry.peek('a')?.owner).toBe('ada')
  })

  it('needs a place of the owner beside the old value, where that is disposed of', () => {
    const { registry } = clockedRegistry({ dispose: () => new Promise(() => {}), maxPerOwner: 1 })
    registry.set('a', ['old'], { owner: 'ada' })

    expect(thrownBy(() => registry.replace('a', ['new'], { owner: 'ada' }))).toEqual(ownerFull)
    expect(registry.get('a')).toEqual(['old'])
  })
})

describe('maxPerOwner', () => {
  it('evicts the least recently active session of the owner that is not held', async () => {
    const { registry, clock } = clockedRegistry({ maxPerOwner: 2 })
    registry.set('other', [])
    for (const id of ['a', 'b']) {
      registry.set(id, [], { owner: 'ada' })
      clock.advance(1)
    }
    registry.touch('a')
    const reasons: string[] = []
    registry.on('ended', ({ id }, reason) => reasons.push(`${id} ${reason}`))
    registry.getOrCreate('c', undefined, { owner: 'ada' })
    using held = registry.hold('a')
    await registry.run('d', () => {}, { owner: 'ada' })

    expect(held?.session.id).toBe('a')
    expect(reasons).toEqual(['b capacity', 'c capacity'])
    expect([...registry.keys()].toSorted()).toEqual(['a', 'd', 'other'])
  })

  it('refuses where all are held, or with `whenOwnerFull: "reject"`; expired sessions go first', async () => {
    const { registry, clock } = clockedRegistry({ maxPerOwner: 1, whenOwnerFull: 'reject', timeoutMs: 1_000 })
    registry.set('a', [], { owner: 'ada' })
    expect(thrownBy(() => registry.set('b', [], { owner: 'ada' }))).toEqual(ownerFull)
    expect(await failureOf(() => registry.open('b', { owner: 'ada' }))).toEqual(ownerFull)
    registry.set('b', [], { owner: 'bob' })
    clock.advance(1_000)
    registry.set('c', [], { owner: 'ada' })
    const evicting = clockedRegistry({ maxPerOwner: 1 }).registry
    evicting.set('a', [], { owner: 'ada' })
    using held = evicting.hold('a')

    expect([...registry.ownedBy('ada')].map(({ id }) => id)).toEqual(['c'])
    expect(held?.session.id).toBe('a')
    expect(thrownBy(() => evicting.getOrCreate('b', undefined, { owner: 'ada' }))).toEqual(ownerFull)
  })

  it('ends as many as are too many at the next creation, where sessions were assigned', () => {
    const { registry } = clockedRegistry({ maxPerOwner: 2 })
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [])
    for (const session of registry.sessions()) session.owner = 'ada'
    expect([...registry.ownedBy('ada')]).toHaveLength(4)
    registry.set('e', [], { owner: 'ada' })

    expect([...registry.ownedBy('ada')].map(({ id }) => id).toSorted()).toEqual(['d', 'e'])
  })

  it('takes no place for a call that was refused at the capacity of the registry', async () => {
    const { registry } = clockedRegistry({ maxPerOwner: 1, maxSessions: 2 })
    const holds = await Promise.all([registry.acquire('held'), registry.acquire('held too')])
    for (let times = 0; times < 3; times += 1) {
      const error = await failureOf(() => registry.open('a', { owner: 'ada' }))
      expect(error).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    }
    for (const hold of holds) hold.release()
    registry.clear()

    await registry.open('a', { owner: 'ada' })
    await registry.open('b', { owner: 'ada' })
    expect([...registry.ownedBy('ada')].map(({ id }) => id)).toEqual(['b'])
  })

  it('counts what is being archived: a synchronous call is refused, others wait', async () => {
    const archives: (() => void)[] = []
    const archive = () => new Promise<void>((resolve) => archives.push(resolve))
    const { registry } = clockedRegistry({ maxPerOwner: 1, archive })
    registry.set('a', [], { owner: 'ada' })
    expect(thrownBy(() => registry.set('b', [], { owner: 'ada' }))).toEqual(ownerFull)
    const opened = registry.open('b', { owner: 'ada' })
    expect(registry.has('b')).toBe(false)
    archives[0]?.()

    expect(await opened).toEqual([])
    expect([...registry.keys()]).toEqual(['b'])
    expect(archives).toHaveLength(1)
  })
})

async function* emptyStream(): AsyncGenerator<never> {}
