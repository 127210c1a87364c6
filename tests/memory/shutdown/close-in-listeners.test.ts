import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

function closable(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new FakeArchive('instant')
  return { store, ...clockedRegistry({ archive: store.archive, load: store.load, ...options }) }
}

describe('`close` and listeners', () => {
  it('may be called by a listener of any event, and again by the next', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    const reports = new Set<unknown>()
    const close = ({ id }: { readonly id: string }) => {
      if (id !== 'first') reports.add(registry.close())
    }
    registry.on('created', close).on('expired', close).on('ended', close)
    registry.set('first', [])
    registry.set('second', [])
    clock.advance(1_000)

    expect(reports.size).toBe(1)
    expect(await registry.close()).toMatchObject({ ended: 2 })
    expect(events.take()).toEqual([
      'created first',
      'created second',
      'ended first closed',
      'ended second closed',
    ])
  })

  it('in `created`: refuses the turn that was about to begin', async () => {
    for (const whenBusy of ['wait', 'join'] as const) {
      const { registry, events } = clockedRegistry()
      registry.on('created', () => registry.close())
      const turn = vi.fn()

      expect(await failureOf(() => registry.run('a', turn, { whenBusy }))).toEqual(closed)
      expect(turn).not.toHaveBeenCalled()
      expect(events.take()).toEqual(['created a', 'ended a closed'])
    }
  })

  it('is not disturbed by a listener that throws', async () => {
    const { registry, store, clock } = closable({ archiveAttempts: 1 })
    store.mode = 'failing'
    registry.on('error', () => {
      throw new Error('the listener of errors')
    })
    registry.on('ended', () => {
      throw new Error('the listener of ends')
    })
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    registry.set('a', [])
    registry.set('b', [])
    const report = observe(registry.close())
    await clock.advanceAsync(0)

    expect(report.value).toMatchObject({ ended: 2, failed: [{ id: 'a' }, { id: 'b' }] })
    expect(warn).toHaveBeenCalledTimes(1)
    vi.restoreAllMocks()
  })

  it('emits one end per session if a listener deletes another one during the close', async () => {
    const { registry, store, events } = closable()
    store.mode = 'manual'
    registry.on('ended', () => registry.clear())
    for (const id of ['a', 'b', 'c']) registry.set(id, [])
    const report = observe(registry.close())
    await settle()
    store.callsOf('b')[0]?.succeed()
    await report.settled

    expect(report.value).toEqual({ ended: 3, archived: 1, failed: [] })
    expect(events.take().slice(3).toSorted()).toEqual([
      'ended a deleted',
      'ended b closed',
      'ended c deleted',
    ])
  })

  it('emits one end per session if an aborted archive deletes another one', async () => {
    const { registry, store, clock, events } = closable()
    store.mode = 'manual'
    for (const id of ['a', 'b']) registry.set(id, [])
    const report = observe(registry.close({ deadlineMs: 500 }))
    await settle()
    store.calls[0]?.signal.addEventListener('abort', () => registry.delete('b'))
    await clock.advanceAsync(500)

    expect(report.value).toMatchObject({ ended: 2, failed: [{ id: 'a' }, { id: 'b' }] })
    expect(events.take().slice(2)).toEqual(['ended a closed', 'ended b closed'])
  })
})
