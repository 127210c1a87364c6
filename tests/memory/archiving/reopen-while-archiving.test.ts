import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

function archived(store: FakeArchive, options: Parameters<typeof clockedRegistry>[0] = {}) {
  const made = clockedRegistry({ timeoutMs: 1_000, archive: store.archive, load: store.load, ...options })
  /** Expires the session, so that its archive begins. */
  const expire = async (id: string, ...messages: string[]) => {
    await made.registry.run(id, ({ value }) => value.push(...messages))
    made.clock.advance(1_000)
    made.registry.sweep()
    await settle()
  }
  return { ...made, expire }
}

describe('an id reopened during its archive', () => {
  it('waits, loads once, and has the whole history', async () => {
    const store = new FakeArchive('manual')
    const { registry, expire, events } = archived(store)
    await expire('a', 'hello')
    const opened = observe(registry.open('a'))
    const turn = observe(registry.run('a', ({ value }) => value.push('back')))
    await settle()
    expect([opened.state, turn.state]).toEqual(['pending', 'pending'])
    store.last.succeed()
    await turn.settled

    expect(registry.get('a')).toEqual(['hello', 'back'])
    expect(store.loads).toEqual(['a', 'a'])
    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('rejects a call that does not wait as busy', async () => {
    const store = new FakeArchive('manual')
    const { registry, expire } = archived(store)
    await expire('a')
    const busy = sessionError('ERR_SESSION_BUSY')

    expect(await failureOf(() => registry.run('a', () => {}, { whenBusy: 'reject' }))).toEqual(busy)
    observe(registry.open('a'))
    expect(await failureOf(() => registry.run('a', () => {}, { whenBusy: 'reject' }))).toEqual(busy)
  })

  it('rejects a waiting call when its signal aborts', async () => {
    const store = new FakeArchive('manual')
    const { registry, expire } = archived(store)
    await expire('a', 'hello')
    const controller = new AbortController()
    const turn = observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort('gone')
    await turn.settled
    store.last.succeed()
    await settle()

    expect(turn.error).toBe('gone')
    expect(store.loads).toEqual(['a'])
    expect(registry.size).toBe(0)
  })

  it('starts a new session if there is no `load`', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, archive: store.archive })
    registry.set('a', ['old'])
    clock.advance(1_000)
    const opened = registry.open('a')
    await settle()
    store.last.succeed()

    expect(await opened).toEqual([])
  })

  it('returns the restored session, held before anything can end it', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock, expire } = archived(store, { archiveAttempts: 1, maxTurnMs: 60_000 })
    const order: string[] = []
    registry.on('error', () => {
      registry.run('a', () => order.push('second'))
      clock.advance(1_000)
      registry.sweep()
    })
    await expire('a', 'hello')
    const turn = registry.run('a', ({ value }) => order.push(`first ${value}`))
    store.last.fail(new Error('down'))
    await turn
    await settle()

    expect(order).toEqual(['first hello', 'second'])
    expect(store.calls).toHaveLength(1)
  })
})

// A request that comes while a session is being closed gets neither the old nor a new one
// (cyberlife-coder/VelesDB#2319).
it('archive: a visitor who returns during the archive gets the whole history', async () => {
  const store = new FakeArchive('manual')
  const { registry, clock } = clockedRegistry({
    timeoutMs: 1_000,
    intervalMs: 1_000,
    archive: store.archive,
    load: store.load,
  })
  await registry.run('a', (session) => session.value.push('before'))
  await clock.advanceAsync(1_000)
  expect(store.calls).toHaveLength(1)
  const back = registry.run('a', (session) => session.value.push('after'))
  store.last.succeed()
  await back

  expect(registry.get('a')).toEqual(['before', 'after'])
})
