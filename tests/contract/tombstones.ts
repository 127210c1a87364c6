import { expect, it } from 'vitest'
import { FakeArchive } from '../support/fake-archive.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type ContractHarness, type ContractRegistry, eventually, record } from './harness.ts'

export function describeTombstones(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness
  const tombstoneMs = 100 * unitMs
  const lasting = { create: () => [], timeoutMs: 200 * unitMs, tombstoneMs }

  /** Creates a session, and returns the instant of its creation. */
  async function created(registry: ContractRegistry, id: string): Promise<number> {
    const instants: number[] = []
    registry.on('created', (session) => instants.push(session.createdAt))
    await registry.set(id, [])
    return instants[0] ?? Number.NaN
  }

  it('tombstoneMs: by default no end is told', async () => {
    const registry = await harness.make({})
    await registry.set('a', [])
    await registry.delete('a')

    expect(await registry.whyGone('a')).toBeUndefined()
  })

  it('never heard of: nothing is told', async () => {
    const registry = await harness.make(lasting)

    expect(await registry.whyGone('a')).toBeUndefined()
  })

  it('idle timeout: its deadline is told once it has passed, swept or not', async () => {
    const registry = await harness.make({ timeoutMs: 4 * unitMs, tombstoneMs })
    const lines = record(registry)
    const gone = { reason: 'idle', endedAt: (await created(registry, 'a')) + 4 * unitMs }
    expect(await registry.whyGone('a')).toBeUndefined()
    await harness.advance(4 * unitMs + latenessMs)
    expect(await registry.whyGone('a')).toEqual(gone)
    await registry.sweep()
    await eventually(harness, () => expect(lines).toContain('ended a idle'))

    expect(await registry.whyGone('a')).toEqual(gone)
  })

  it('maximum age: its deadline is told', async () => {
    const registry = await harness.make({ timeoutMs: 50 * unitMs, maxAgeMs: 3 * unitMs, tombstoneMs })
    const lines = record(registry)
    const gone = { reason: 'age', endedAt: (await created(registry, 'a')) + 3 * unitMs }
    await harness.advance(3 * unitMs + latenessMs)
    expect(await registry.whyGone('a')).toEqual(gone)
    await eventually(harness, () => expect(lines).toContain('ended a age'))

    expect(await registry.whyGone('a')).toEqual(gone)
  })

  const deletions = [
    ['delete', (registry) => registry.delete('a')],
    ['clear', (registry) => registry.clear()],
  ] satisfies [string, (registry: ContractRegistry) => unknown][]

  it.each(deletions)('%s: the time of the call is told', async (_name, end) => {
    const registry = await harness.make(lasting)
    const createdAt = await created(registry, 'a')
    await harness.advance(2 * unitMs)
    await end(registry)
    const gone = await registry.whyGone('a')

    expect(gone?.reason).toBe('deleted')
    expect(Number.isInteger(gone?.endedAt)).toBe(true)
    expect(gone?.endedAt).toBeGreaterThanOrEqual(createdAt + 2 * unitMs)
    expect(gone?.endedAt).toBeLessThan(createdAt + 20 * unitMs)
  })

  it('tombstoneMs: afterwards nothing is told', async () => {
    const registry = await harness.make({ ...lasting, tombstoneMs: 4 * unitMs })
    await registry.set('a', [])
    await registry.delete('a')
    expect(await registry.whyGone('a')).toBeDefined()
    await harness.advance(4 * unitMs)

    expect(await registry.whyGone('a')).toBeUndefined()
  })

  it('tombstoneMs: counts from the deadline of an expired session, swept or not', async () => {
    const registry = await harness.make({ timeoutMs: 3 * unitMs, tombstoneMs: 4 * unitMs })
    await registry.set('a', [])
    await harness.advance(3 * unitMs + latenessMs)
    expect(await registry.whyGone('a')).toBeDefined()
    await harness.advance(4 * unitMs)

    expect(await registry.whyGone('a')).toBeUndefined()
  })

  it('a new session of the id: nothing is told while it lives, and then its own end', async () => {
    const registry = await harness.make({ ...lasting, timeoutMs: 3 * unitMs })
    await registry.set('a', [])
    await registry.delete('a')
    await registry.getOrCreate('a')
    expect(await registry.whyGone('a')).toBeUndefined()
    await harness.advance(3 * unitMs + latenessMs)

    expect((await registry.whyGone('a'))?.reason).toBe('idle')
  })

  it('replace: nothing is told of the session that was replaced', async () => {
    const registry = await harness.make(lasting)
    await registry.set('a', ['old'])
    await registry.replace('a', ['new'])
    expect(await registry.whyGone('a')).toBeUndefined()
    await registry.delete('a')

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })

  it('archive: a session being archived is not gone, and then its deadline is told', async () => {
    const store = new FakeArchive('manual')
    const registry = await harness.make({ timeoutMs: 2 * unitMs, tombstoneMs, archive: store.archive })
    const gone = { reason: 'idle', endedAt: (await created(registry, 'a')) + 2 * unitMs }
    await eventually(harness, () => store.last)
    expect(await registry.whyGone('a')).toBeUndefined()
    await harness.advance(2 * unitMs)
    store.last.succeed()

    await eventually(harness, async () => expect(await registry.whyGone('a')).toEqual(gone))
  })

  it('archive: one that waits for another attempt is not gone', async () => {
    const store = new FakeArchive('manual')
    const registry = await harness.make({ timeoutMs: 2 * unitMs, tombstoneMs, archive: store.archive })
    await registry.set('a', [])
    await eventually(harness, () => store.last)
    store.last.fail(new Error('the database is down'))
    expect(await registry.whyGone('a')).toBeUndefined()
    await eventually(harness, () => expect(store.calls).toHaveLength(2))
    expect(await registry.whyGone('a')).toBeUndefined()
    store.last.succeed()

    await eventually(harness, async () => expect((await registry.whyGone('a'))?.reason).toBe('idle'))
  })

  it('archive: one that is deleted meanwhile has ended by that', async () => {
    const store = new FakeArchive('manual')
    const registry = await harness.make({ timeoutMs: 2 * unitMs, tombstoneMs, archive: store.archive })
    await registry.set('a', [])
    await eventually(harness, () => store.last)
    await registry.delete('a')
    store.last.succeed()

    await eventually(harness, async () => expect((await registry.whyGone('a'))?.reason).toBe('deleted'))
  })

  it('archive and load: the end is told until the session is loaded', async () => {
    const { archive, load } = new FakeArchive()
    const registry = await harness.make({ timeoutMs: 3 * unitMs, tombstoneMs, archive, load })
    const lines = record(registry)
    await registry.set('a', ['hello'])
    await eventually(harness, () => expect(lines).toContain('ended a idle'))
    expect((await registry.whyGone('a'))?.reason).toBe('idle')

    expect(await registry.open('a')).toEqual(['hello'])
    expect(await registry.whyGone('a')).toBeUndefined()
  })

  it('owner: only the owner of the session is told, and a caller without one', async () => {
    const registry = await harness.make(lasting)
    await registry.set('a', [], { owner: 'ada' })
    await registry.set('b', [])
    await registry.clear()

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
    expect((await registry.whyGone('a', { owner: undefined }))?.reason).toBe('deleted')
    expect((await registry.whyGone('a', { owner: 'ada' }))?.reason).toBe('deleted')
    for (const owner of ['bob', 'Ada', 'ada '])
      expect(await registry.whyGone('a', { owner }), owner).toBeUndefined()
    expect((await registry.whyGone('b'))?.reason).toBe('deleted')
    expect(await registry.whyGone('b', { owner: 'ada' })).toBeUndefined()
  })

  it('owner: of an expired session only its owner is told, swept or not', async () => {
    const registry = await harness.make({ ...lasting, timeoutMs: 2 * unitMs })
    const lines = record(registry)
    await registry.set('a', [], { owner: 'ada' })
    await harness.advance(2 * unitMs + latenessMs)
    const check = async () => {
      expect((await registry.whyGone('a', { owner: 'ada' }))?.reason).toBe('idle')
      expect(await registry.whyGone('a', { owner: 'bob' })).toBeUndefined()
    }
    await check()
    await registry.sweep()
    await eventually(harness, () => expect(lines).toContain('ended a idle'))
    await check()
  })

  it('owner: the end of an earlier session of the id is not told', async () => {
    const registry = await harness.make(lasting)
    const ends = async (owner: string | undefined) => {
      await harness.advance(1)
      await registry.set('a', [], { owner })
      await registry.delete('a')
    }
    await ends('ada')
    await ends('bob')
    expect(await registry.whyGone('a', { owner: 'ada' })).toBeUndefined()
    expect((await registry.whyGone('a', { owner: 'bob' }))?.reason).toBe('deleted')
    await ends(undefined)

    expect(await registry.whyGone('a', { owner: 'bob' })).toBeUndefined()
    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })

  it('no activity: it does not restart the idle time', async () => {
    const registry = await harness.make({ timeoutMs: 6 * unitMs, tombstoneMs })
    await registry.set('a', [])
    await harness.advance(4 * unitMs)
    await registry.whyGone('a')
    await harness.advance(2 * unitMs + latenessMs)

    expect(await registry.has('a')).toBe(false)
  })

  it('close: ends are told afterwards too', async () => {
    const registry = await harness.make(lasting)
    await registry.set('a', [])
    await registry.delete('a')
    await registry.close()

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })

  it('invalid arguments: are refused, with tombstones or without', async () => {
    for (const options of [lasting, {}]) {
      const registry = await harness.make(options)
      for (const id of ['', 7, undefined, 'x'.repeat(1_025)])
        expect(await failureOf(() => registry.whyGone(id as string))).toEqual(
          sessionError('ERR_SESSION_ID_INVALID'),
        )
      for (const wrong of [{ owner: '' }, { owner: 7 }, { owner: null }, { reason: 'idle' }, null, 'ada'])
        expect(await failureOf(() => registry.whyGone('a', wrong as object))).toEqual(
          sessionError('ERR_SESSION_OPTION_INVALID'),
        )
    }
  })

  it.each([-1, Number.NaN, '60', null])('invalid option: a `tombstoneMs` of %s is refused', async (wrong) => {
    const error = await failureOf(() => harness.make({ tombstoneMs: wrong as number }))

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect((error as Error).message).toContain('`tombstoneMs` to be zero, a positive number or Infinity')
  })

  it('tombstoneMs: an infinite one is accepted', async () => {
    const registry = await harness.make({ ...lasting, tombstoneMs: Number.POSITIVE_INFINITY })
    await registry.set('a', [])
    await registry.delete('a')

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
  })
}
