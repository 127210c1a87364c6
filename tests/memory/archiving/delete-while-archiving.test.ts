import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')

async function archiving(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new FakeArchive('manual')
  const made = clockedRegistry({
    timeoutMs: 1_000,
    intervalMs: 1_000_000,
    archive: store.archive,
    load: store.load,
    ...options,
  })
  /** Expires a session, so that its archive begins. */
  const archive = async (id: string) => {
    await made.registry.run(id, ({ value }) => value.push('hello'))
    made.clock.advance(1_000)
    made.registry.get(id)
  }
  await archive('a')
  return { store, archive, ...made }
}

describe.each(['delete', 'clear'] as const)('%s of a session that is being archived', (member) => {
  const yes = member === 'delete' ? true : 1

  it('ends the session at once, and aborts its hook', async () => {
    const { registry, store, events } = await archiving()

    expect(registry[member]('a')).toBe(yes)
    expect(store.last.signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(events.take()).toEqual(['created a', 'ended a deleted'])
    expect(registry.stats()).toMatchObject({ archiving: 0, deleted: 1 })
    expect(registry[member]('a')).toBe(member === 'delete' ? false : 0)
  })

  it('open and run: wait until the hook has settled, then load', async () => {
    const { registry, store, clock } = await archiving()
    registry[member]('a')
    const opened = observe(registry.open('a'))
    const ran = observe(registry.run('a', (session) => [...session.value]))
    await clock.advanceAsync(29_999 - 1_000)
    expect([opened.state, ran.state]).toEqual(['pending', 'pending'])
    expect(store.loads).toEqual(['a'])
    // The hook has written nevertheless, before the session is loaded and not after.
    store.last.succeed()
    await Promise.all([opened.settled, ran.settled])

    expect(store.loads).toEqual(['a', 'a'])
    expect(opened.value).toEqual(['hello'])
    expect(ran.value).toEqual(['hello'])
  })

  it('open: waits for a hook that does not settle until `archiveTimeoutMs` after its start, and no longer', async () => {
    const { registry, clock } = await archiving({ archiveTimeoutMs: 10_000 })
    await clock.advanceAsync(4_000)
    registry[member]('a')
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(5_999)
    expect(opened.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(opened.value).toEqual([])
  })

  it('getOrCreate and set: throw until the hook has settled', async () => {
    const { registry, store } = await archiving({ load: undefined })
    registry[member]('a')
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(thrownBy(() => registry.set('a', []))).toEqual(needsOpen)
    expect(registry.getOrCreate('b')).toEqual([])
    store.last.fail(store.last.signal.reason)
    await settle()

    expect(registry.getOrCreate('a')).toEqual([])
    expect(registry.set('c', []).has('c')).toBe(true)
  })

  it('run with `reject`: rejects until the hook has settled', async () => {
    const { registry, store } = await archiving()
    registry[member]('a')
    const run = () => registry.run('a', () => 'ran', { whenBusy: 'reject' })
    expect(await failureOf(run)).toEqual(sessionError('ERR_SESSION_BUSY'))
    store.last.succeed()
    await settle()

    expect(await run()).toBe('ran')
  })

  it('open with `create: false`: waits, and returns undefined', async () => {
    const { registry, store } = await archiving()
    registry[member]('a')
    const opened = observe(registry.open('a', { create: false }))
    await settle()
    expect(opened.state).toBe('pending')
    store.last.fail(store.last.signal.reason)
    await opened.settled

    expect(opened.state).toBe('fulfilled')
    expect(opened.value).toBeUndefined()
  })

  it('peek, get, has, touch, hold: find nothing in the meantime', async () => {
    const { registry } = await archiving()
    registry[member]('a')

    expect([registry.peek('a'), registry.get('a'), registry.hold('a')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([registry.has('a'), registry.touch('a')]).toEqual([false, false])
  })

  it('in the pause between two attempts: frees the id at once', async () => {
    const { registry, store, clock } = await archiving({ load: undefined })
    store.last.fail(new Error('the database is down'))
    await settle()
    registry[member]('a')
    expect(registry.getOrCreate('a')).toEqual([])
    await clock.advanceAsync(60_000)

    expect(store.calls.filter(({ reason, attempt }) => reason === 'idle' && attempt > 1)).toEqual([])
  })
})

describe('an archive hook whose session has ended', () => {
  it('makes room for the next archive', async () => {
    const { registry, store, archive } = await archiving({ archiveConcurrency: 1 })
    registry.delete('a')
    await archive('b')

    expect(store.calls.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('never runs beside the hook of the next incarnation of its id', async () => {
    const { registry, store, clock, events } = await archiving()
    registry.replace('a', ['another life'])
    clock.advance(1_000)
    registry.get('a')
    await settle()
    expect(registry.stats()).toMatchObject({ size: 0, archiving: 1 })
    expect(store.calls).toHaveLength(1)
    store.last.succeed()
    await settle()
    expect(store.calls).toHaveLength(2)
    expect(store.last.session.value).toEqual(['another life'])
    store.last.succeed()
    await settle()

    expect(store.stored.get('a')).toEqual(['another life'])
    expect(events.take()).toEqual([
      'created a',
      'ended a replaced',
      'created a',
      'expired a idle',
      'ended a idle',
    ])
  })

  it('the next incarnation can be opened after both hooks, in their order', async () => {
    const { registry, store, clock } = await archiving()
    registry.replace('a', ['another life'])
    clock.advance(1_000)
    const opened = observe(registry.open('a'))
    await settle()
    expect(store.calls).toHaveLength(1)
    store.last.succeed()
    await settle()
    expect(opened.state).toBe('pending')
    store.last.succeed()
    await opened.settled

    expect(opened.value).toEqual(['another life'])
  })

  it('still may not open its own id', async () => {
    let failure: unknown
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      intervalMs: 1_000_000,
      archive: async ({ id }, _reason, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        failure = await failureOf(() => registry.open(id))
      },
    })
    registry.set('a', [])
    clock.advance(1_000)
    registry.get('a')
    registry.delete('a')
    await settle()

    expect(failure).toEqual(sessionError('ERR_SESSION_REENTRANT'))
    expect(registry.getOrCreate('a')).toEqual([])
  })

  it('leaves no timer behind, neither when it settles nor when the registry closes', async () => {
    const settling = await archiving()
    settling.registry.delete('a')
    settling.store.last.succeed()
    await settle()
    expect(settling.clock.pending).toBe(0)

    const { registry, clock } = await archiving()
    registry.delete('a')
    await registry.close()
    expect(clock.pending).toBe(0)
  })
})
