import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

function closable(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new FakeArchive('instant')
  return { store, ...clockedRegistry({ archive: store.archive, load: store.load, ...options }) }
}

describe('`close` and archives', () => {
  it('archives every session, and counts those already being archived', async () => {
    const { registry, store, clock, events } = closable({ timeoutMs: 1_000 })
    store.mode = 'manual'
    registry.set('a', ['hello'])
    clock.advance(1_000)
    registry.sweep()
    await settle()
    registry.set('b', ['hello'])
    const report = observe(registry.close())
    await settle()
    expect(store.calls.map(({ id, reason }) => `${id} ${reason}`)).toEqual(['a idle', 'b closed'])
    for (const call of [...store.calls]) call.succeed()
    await report.settled

    expect(report.value).toEqual({ ended: 2, archived: 2, failed: [] })
    expect(events.take().slice(2)).toEqual(['expired a idle', 'ended a idle', 'ended b closed'])
  })

  it('reports what could not be archived, values untouched, and emits its end last', async () => {
    const { registry, store, clock, events } = closable({ archiveAttempts: 2 })
    store.mode = 'manual'
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    registry.set('bad', ['precious'])
    registry.set('good', ['stored'])
    const session = registry.peek('bad')
    const report = observe(registry.close())
    await settle()
    store.callsOf('bad')[0]?.fail(new Error('down'))
    await clock.advanceAsync(100)
    store.callsOf('bad')[1]?.fail(new Error('down'))
    await settle()
    expect(report.state).toBe('pending')
    expect(events.take()).toEqual(['created bad', 'created good'])
    store.callsOf('good')[0]?.succeed()
    await report.settled

    expect(report.value).toEqual({ ended: 2, archived: 1, failed: [session] })
    expect(report.value?.failed[0]).toBe(session)
    expect(session?.value).toEqual(['precious'])
    expect(events.take()).toEqual(['ended good closed', 'ended bad closed'])
    expect(errors).toEqual([])
  })

  it('gives archives `deadlineMs` more than turns, then aborts their signals', async () => {
    const { registry, store, clock } = closable({ turnGraceMs: 0 })
    store.mode = 'manual'
    registry.set('idle', [])
    const turn = beginTurn(registry.set('busy', []), 'busy')
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(500)
    expect(turn.run.state).toBe('rejected')
    await clock.advanceAsync(499)
    expect(store.calls.map(({ signal }) => signal.aborted)).toEqual([false, false])
    await clock.advanceAsync(1)

    expect(store.calls.map(({ signal }) => signal.reason)).toEqual([closed, closed])
    expect(report.value?.failed.map(({ id }) => id).toSorted()).toEqual(['busy', 'idle'])
    expect(registry.stats()).toMatchObject({ size: 0, archiving: 0, held: 0 })
    expect(clock.pending).toBe(0)
  })

  it('shortens pauses between attempts to a second at most', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { registry, store, clock } = closable({
      archiveAttempts: 20,
      timeoutMs: 1_000_000,
      intervalMs: 2 ** 31 - 1,
    })
    store.mode = 'failing'
    registry.set('a', [])
    clock.advance(1_000_000)
    registry.sweep()
    await clock.advanceAsync(13_000)
    const before = store.calls.length
    const report = observe(registry.close())
    await settle()
    expect(store.calls).toHaveLength(before + 1)
    store.mode = 'instant'
    await clock.advanceAsync(1_000)

    expect(report.value).toEqual({ ended: 1, archived: 1, failed: [] })
    vi.restoreAllMocks()
  })

  it('keeps the process alive, for turns and for archives', async () => {
    const clock = new TrackingClock()
    const { registry, store } = closable({ clock })
    store.mode = 'manual'
    const turn = beginTurn(registry.set('a', []), 'a')
    const report = observe(registry.close())
    expect(clock.refed).toBe(1)
    turn.end.resolve('done')
    await settle()
    expect(clock.refed).toBeGreaterThanOrEqual(1)
    store.last.succeed()
    await report.settled

    expect(clock.waiting.size).toBe(0)
  })

  it('counts a session deleted during its archive as ended, before the failed ones', async () => {
    const { registry, store, clock, events } = closable()
    store.mode = 'manual'
    registry.set('a', [])
    registry.set('b', [])
    const report = observe(registry.close({ deadlineMs: 500 }))
    await settle()
    expect(registry.delete('a')).toBe(true)
    await clock.advanceAsync(500)

    expect(report.value).toMatchObject({ ended: 2, archived: 0, failed: [{ id: 'b' }] })
    expect(events.take().slice(2)).toEqual(['ended a deleted', 'ended b closed'])
  })

  it('settles when the last session being archived is deleted', async () => {
    const { registry, store, events } = closable()
    store.mode = 'manual'
    registry.set('a', [])
    const report = registry.close()
    await settle()
    registry.clear()

    expect(await report).toEqual({ ended: 1, archived: 0, failed: [] })
    expect(events.take()).toEqual(['created a', 'ended a deleted'])
  })

  it('inside an archive hook that awaits it: settles at the deadline', async () => {
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: async () => {
        await registry.close({ deadlineMs: 500 })
      },
    })
    registry.set('a', ['hello'])
    clock.advance(1_000)
    registry.sweep()
    await clock.advanceAsync(500)

    expect(await registry.close()).toMatchObject({ ended: 1, archived: 0, failed: [{ value: ['hello'] }] })
  })

  it('settles without a deadline on a host that returns no timer', async () => {
    const { registry, clock } = closable()
    registry.on('error', () => {})
    registry.set('a', [])
    vi.spyOn(clock, 'setTimeout').mockImplementation(() => {
      throw new Error('no timers here')
    })

    expect(await registry.close()).toEqual({ ended: 1, archived: 1, failed: [] })
  })
})
