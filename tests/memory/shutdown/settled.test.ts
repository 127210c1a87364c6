import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

describe('settled()', () => {
  it('fulfils if nothing is under way, with sessions, holds and turns or without', async () => {
    const { registry } = clockedRegistry()
    await registry.settled()
    registry.set('a', [])
    registry.hold('a')
    observe(registry.run('a', () => new Promise(() => {})))

    expect(await registry.settled()).toBeUndefined()
  })

  it('load: waits for it, and for nothing that begins later', async () => {
    const store = new ManualLoad()
    const { registry } = clockedRegistry({ load: store.load })
    observe(registry.open('a'))
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    store.at(0).resolve(undefined)
    await settle()
    expect(settled.state).toBe('fulfilled')
    observe(registry.open('b'))

    expect(store.calls).toHaveLength(2)
  })

  it('load: waits also for an aborted one, at most `loadTimeoutMs` from its start', async () => {
    const store = new ManualLoad()
    const { registry, clock } = clockedRegistry({ load: store.load, loadTimeoutMs: 5_000 })
    const controller = new AbortController()
    for (const id of ['a', 'b']) observe(registry.open(id, { signal: controller.signal }))
    await clock.advanceAsync(1_000)
    controller.abort()
    const settled = observe(registry.settled())
    store.at(0).reject(new Error('aborted'))
    await clock.advanceAsync(3_999)
    expect(settled.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(settled.state).toBe('fulfilled')
  })

  it('archive: waits through its retries', async () => {
    const store = new FakeArchive('failing')
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, archive: store.archive })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    store.mode = 'instant'
    await clock.advanceAsync(1_000)

    expect(settled.state).toBe('fulfilled')
    expect(registry.stats().archiving).toBe(0)
  })

  it('archive: waits for the hook of a session deleted meanwhile', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, archive: store.archive })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    registry.delete('a')
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    store.last.fail(new Error('aborted'))
    await settle()

    expect(settled.state).toBe('fulfilled')
  })

  it('waits from one kind of work to the next: an archive, then the load that waited for it', async () => {
    const archive = new FakeArchive('manual')
    const store = new ManualLoad()
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      archive: archive.archive,
      load: store.load,
    })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    observe(registry.open('a'))
    const settled = observe(registry.settled())
    archive.last.succeed()
    await settle()
    expect(store.calls).toHaveLength(1)
    expect(settled.state).toBe('pending')
    store.at(0).resolve(undefined)
    await settle()

    expect(settled.state).toBe('fulfilled')
  })

  it('waits for a creation that waits for capacity', async () => {
    const archive = new FakeArchive('manual')
    const { registry } = clockedRegistry({ maxSessions: 1, archive: archive.archive })
    registry.set('a', [])
    observe(registry.open('b'))
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    archive.last.succeed()
    await settle()

    expect(settled.state).toBe('fulfilled')
    expect(registry.has('b')).toBe(true)
  })

  it('fulfils when the registry is closed, and after it, even if hooks do not settle', async () => {
    const { registry } = clockedRegistry({ load: () => new Promise(() => {}) })
    observe(registry.open('a'))
    const settled = observe(registry.settled())
    await registry.close()
    await settled.settled

    expect(await registry.settled()).toBeUndefined()
  })

  it('leaves no timer behind', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, archive: store.archive })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    const settled = registry.settled()
    store.last.succeed()
    await settled

    expect(clock.pending).toBe(0)
  })
})
