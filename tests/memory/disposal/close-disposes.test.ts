import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { FaultStore } from '../../support/fault-store.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say } from '../../support/stored-registry.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const disposeFailed = sessionError('ERR_SESSION_DISPOSE_FAILED')
const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

describe('`close` with `dispose`', () => {
  it('disposes of every value and waits for that', async () => {
    const { registry, disposer, lines } = disposingRegistry()
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    const report = observe(registry.close())
    await settle()
    expect(disposer.calls).toMatchObject([{ reason: 'closed' }, { reason: 'closed' }])
    disposer.at(0).resolve()
    await settle()
    expect([report.state, registry.state]).toEqual(['pending', 'closing'])
    expect(lines.at(-1)).toBe('ended a closed')
    disposer.at(1).resolve()
    await settle()

    expect(report.value).toEqual({ ended: 2, archived: 0, failed: [] })
    expect(lines.at(-1)).toBe('ended b closed')
  })

  it('waits for those that were being disposed of already, and counts them', async () => {
    const { registry, disposer } = disposingRegistry()
    registry.getOrCreate('a')
    registry.delete('a')
    const report = observe(registry.close())
    await settle()
    expect(report.state).toBe('pending')
    disposer.at(0).resolve()
    await settle()

    expect(report.value).toEqual({ ended: 1, archived: 0, failed: [] })
  })

  it('archives first, and disposes of what was archived', async () => {
    const store = new FakeArchive('manual')
    const { registry, disposer, lines } = disposingRegistry({ archive: store.archive })
    registry.getOrCreate('a')
    const report = observe(registry.close())
    await settle()
    expect(disposer.calls).toEqual([])
    store.last.succeed()
    await settle()
    expect([report.state, disposer.at(0).archived]).toEqual(['pending', true])
    disposer.at(0).resolve()
    await settle()

    expect(report.value).toEqual({ ended: 1, archived: 1, failed: [] })
    expect(lines).toEqual(['created a', 'dispose a closed archived', 'ended a closed'])
  })

  it('aborts the signals at the last deadline, and reports each as a failure; the sessions have ended', async () => {
    const { registry, disposer, clock, errors, lines } = disposingRegistry()
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(499)
    expect(disposer.calls.map(({ signal }) => signal.aborted)).toEqual([false, false])
    await clock.advanceAsync(1)

    expect(disposer.calls.map(({ signal }) => signal.reason)).toEqual([closed, closed])
    expect(errors).toEqual([disposeFailed, disposeFailed])
    expect(errors).toMatchObject([{ cause: closed }, { cause: closed }])
    expect(report.value).toEqual({ ended: 2, archived: 0, failed: [] })
    expect(lines.slice(-2)).toEqual(['ended a closed', 'ended b closed'])
    expect(registry.stats().disposing).toBe(0)
  })

  it('archives and disposals share the second deadline', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock, disposer } = disposingRegistry({ archive: store.archive })
    registry.getOrCreate('a')
    const turn = beginTurn(registry, 'b')
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(400)
    turn.end.resolve('done')
    await settle()
    // The second deadline counts from here.
    await clock.advanceAsync(300)
    for (const call of store.calls) call.succeed()
    await clock.advanceAsync(199)
    expect([report.state, disposer.calls.length]).toEqual(['pending', 2])
    await clock.advanceAsync(1)

    expect(report.value).toMatchObject({ ended: 2, archived: 2, failed: [] })
  })

  it('does not dispose of what is in `failed`: it is the application’s', async () => {
    const store = new FakeArchive('failing')
    const { registry, disposer, clock } = disposingRegistry({ archive: store.archive, archiveAttempts: 1 })
    registry.on('error', () => {})
    registry.getOrCreate('a')
    const report = observe(registry.close())
    await clock.advanceAsync(60_000)

    expect(report.value?.failed).toMatchObject([{ id: 'a', value: ['a'] }])
    expect(disposer.calls).toEqual([])
  })

  it('does not dispose of a session in `failed` that was changed elsewhere', async () => {
    const store = new FaultStore()
    const { registry, disposer, clock, lines } = disposingRegistry({ mode: 'sync', store })
    await say(registry, 'a', 'hello')
    registry.get('a')?.push('not saved')
    await store.delete('a', { signal: new AbortController().signal })
    const report = observe(registry.close())
    await clock.advanceAsync(60_000)

    expect(report.value?.failed).toMatchObject([{ id: 'a' }])
    expect(lines.at(-1)).toBe('ended a replaced')
    expect(disposer.calls).toEqual([])
  })

  it('calls `dispose` at the last deadline for a value that a turn still uses, once', async () => {
    const { registry, disposer, clock, errors, lines } = disposingRegistry({
      mode: 'sync',
      turnGraceMs: 1_000_000,
    })
    beginTurn(registry, 'a')
    registry.delete('a')
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(499)
    expect([report.state, disposer.calls.length]).toEqual(['pending', 0])
    await clock.advanceAsync(1)

    expect(report.value).toEqual({ ended: 1, archived: 0, failed: [] })
    expect(lines).toEqual(['created a', 'dispose a deleted', 'ended a deleted'])
    expect(errors).toEqual([])
    expect(disposer.at(0).signal.aborted).toBe(false)
    await clock.advanceAsync(2_000_000)
    expect(disposer.calls).toHaveLength(1)
  })

  it('gives that disposal, where it takes time, a signal that has aborted', async () => {
    const { registry, disposer, clock, errors } = disposingRegistry({ turnGraceMs: 1_000_000 })
    beginTurn(registry, 'a')
    registry.delete('a')
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(500)

    expect(disposer.at(0).signal.reason).toEqual(closed)
    expect(errors).toMatchObject([{ code: 'ERR_SESSION_DISPOSE_FAILED', cause: closed }])
    expect(report.state).toBe('fulfilled')
  })

  it('aborts what is being made, waits for it and disposes of it, without events', async () => {
    const { create, at } = manualCreate()
    const { registry, disposer, lines } = disposingRegistry({ create })
    const opened = observe(registry.open('a'))
    const report = observe(registry.close())
    await settle()
    expect(at(0).signal.reason).toEqual(closed)
    expect(opened.error).toEqual(closed)
    expect(report.state).toBe('pending')
    at(0).resolve(['late'])
    await settle()
    expect(disposer.calls).toMatchObject([{ value: ['late'], reason: 'closed', archived: false }])
    expect([report.state, registry.state]).toEqual(['pending', 'closing'])
    disposer.at(0).resolve()
    await settle()

    expect(report.value).toEqual({ ended: 0, archived: 0, failed: [] })
    expect(lines).toEqual(['dispose late closed'])
  })

  it('waits for what is being made, without `dispose` too', async () => {
    const { create, at } = manualCreate()
    const { registry } = disposingRegistry({ create, dispose: undefined })
    observe(registry.open('a'))
    const report = observe(registry.close())
    await settle()
    expect(report.state).toBe('pending')
    at(0).reject(new Error('aborted'))
    await settle()

    expect(report.state).toBe('fulfilled')
  })

  it('waits for what `getOrCreate` began', async () => {
    const { create, at } = manualCreate()
    const { registry, disposer, errors } = disposingRegistry({ mode: 'sync', create })
    expect(() => registry.getOrCreate('a')).toThrow()
    const report = observe(registry.close())
    await settle()
    expect([report.state, at(0).signal.aborted]).toEqual(['pending', true])
    at(0).resolve(['late'])
    await settle()

    expect(report.state).toBe('fulfilled')
    expect(disposer.calls).toMatchObject([{ value: ['late'], reason: 'closed' }])
    expect(errors).toEqual([])
  })

  it('does not wait longer than the second deadline for it, and disposes of what comes later all the same', async () => {
    const { create, at } = manualCreate()
    const { registry, disposer, clock } = disposingRegistry({ mode: 'sync', create })
    observe(registry.open('a'))
    const report = observe(registry.close({ deadlineMs: 500 }))
    await clock.advanceAsync(499)
    expect(report.state).toBe('pending')
    await clock.advanceAsync(1)
    expect([report.state, registry.state]).toEqual(['fulfilled', 'closed'])
    at(0).resolve(['too late'])
    await settle()

    expect(disposer.calls).toMatchObject([{ value: ['too late'], reason: 'closed' }])
    expect(registry.stats().disposing).toBe(0)
  })

  it('keeps the process alive for disposals', async () => {
    const clock = new TrackingClock()
    const { registry, disposer } = disposingRegistry({ clock, timeoutMs: Number.POSITIVE_INFINITY })
    registry.getOrCreate('a')
    registry.delete('a')
    expect(clock.refed).toBe(0)
    const report = registry.close()
    await settle()
    expect(clock.refed).toBeGreaterThan(0)
    disposer.at(0).resolve()
    await report

    expect(clock.waiting.size).toBe(0)
  })

  it('disposes of sessions that expired before, with their reason', async () => {
    const { registry, clock, lines } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    clock.advance(1_000)
    await registry.close()

    expect(lines.slice(1)).toEqual(['dispose a idle', 'expired a idle', 'ended a idle'])
  })

  it('disposes of many in slices', async () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    for (let index = 0; index < 5_000; index += 1) registry.getOrCreate(`id-${index}`)
    const { ended } = await registry.close()

    expect(ended).toBe(5_000)
    expect(new Set(disposer.values).size).toBe(5_000)
  })
})

function manualCreate() {
  const made = new ManualCreate()
  return { create: made.create, at: (index: number) => made.at(index) }
}
