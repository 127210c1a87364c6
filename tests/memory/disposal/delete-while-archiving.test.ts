import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

/** A registry whose session `a` is being archived. */
async function archiving(options: Parameters<typeof disposingRegistry>[0] = {}) {
  const store = new FakeArchive('manual')
  const made = disposingRegistry({
    mode: 'sync',
    archive: store.archive,
    archiveTimeoutMs: 5_000,
    ...options,
  })
  made.registry.getOrCreate('a')
  made.clock.advance(1_000)
  made.registry.sweep()
  await settle()
  made.lines.length = 0
  return { store, ...made }
}

describe('a session that is deleted while it is archived', () => {
  it.each(['succeeds', 'fails'])(
    'is disposed of when the hook has settled, and ends then: %s',
    async (how) => {
      const { registry, store, lines, errors } = await archiving()
      expect(registry.delete('a')).toBe(true)
      await settle()
      expect(lines).toEqual([])
      expect(store.last.signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
      expect(registry.stats()).toMatchObject({ size: 0, archiving: 0, disposing: 1, deleted: 0 })
      if (how === 'succeeds') store.last.succeed()
      else store.last.fail(new Error('aborted'))
      await settle()

      expect(lines).toEqual(['dispose a deleted', 'ended a deleted'])
      expect(registry.stats()).toMatchObject({ disposing: 0, deleted: 1, expired: 0 })
      expect(errors).toEqual([])
    },
  )

  it('is disposed of `archiveTimeoutMs` after the start of a hook that does not settle', async () => {
    const { registry, clock, lines } = await archiving()
    await clock.advanceAsync(2_000)
    registry.delete('a')
    await clock.advanceAsync(2_999)
    expect(lines).toEqual([])
    await clock.advanceAsync(1)

    expect(lines).toEqual(['dispose a deleted', 'ended a deleted'])
  })

  it('is disposed of at once between two attempts', async () => {
    const { registry, store, lines } = await archiving()
    store.last.fail(new Error('the database is down'))
    await settle()
    registry.delete('a')

    expect(lines).toEqual(['dispose a deleted', 'ended a deleted'])
    expect(registry.stats()).toMatchObject({ archiving: 0, disposing: 0 })
  })

  it('is disposed of once where it is deleted again, or cleared', async () => {
    const { registry, store, disposer } = await archiving()

    expect(registry.delete('a')).toBe(true)
    expect(registry.delete('a')).toBe(false)
    expect(registry.clear()).toBe(0)
    store.last.succeed()
    await settle()
    expect(disposer.calls).toHaveLength(1)
  })

  it('`clear` does the same, and counts it', async () => {
    const { registry, store, lines } = await archiving()
    expect(registry.clear()).toBe(1)
    store.last.succeed()
    await settle()

    expect(lines).toEqual(['dispose a deleted', 'ended a deleted'])
  })

  it('`open` waits for the hook and for the disposal', async () => {
    const { registry, store, disposer } = await archiving({ mode: 'manual' })
    registry.delete('a')
    const opened = observe(registry.open('a'))
    await settle()
    expect([opened.state, disposer.calls.length]).toEqual(['pending', 0])
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(sessionError('ERR_SESSION_NEEDS_OPEN'))
    store.last.succeed()
    await settle()
    expect([opened.state, disposer.calls.length]).toEqual(['pending', 1])
    disposer.at(0).resolve()
    await settle()

    expect(opened.value).toEqual(['a'])
  })

  it('counts towards the capacity until then', async () => {
    const { registry, store } = await archiving({ maxSessions: 1 })
    registry.delete('a')
    const opened = observe(registry.open('b'))
    await settle()
    expect(opened.state).toBe('pending')
    store.last.succeed()
    await settle()

    expect(opened.value).toEqual(['b'])
  })

  it('`close` waits for it', async () => {
    const { registry, store, lines } = await archiving()
    registry.delete('a')
    const report = observe(registry.close())
    await settle()
    expect(report.state).toBe('pending')
    store.last.succeed()
    await settle()

    expect(report.value).toEqual({ ended: 1, archived: 0, failed: [] })
    expect(lines).toEqual(['dispose a deleted', 'ended a deleted'])
  })
})

describe('`replace` of a session that is being archived', () => {
  it('ends it with `replaced`, unarchived, and creates at once', async () => {
    const { registry, store, lines } = await archiving()
    registry.replace('a', ['new'])
    expect(registry.get('a')).toEqual(['new'])
    expect(lines).toEqual(['created a'])
    expect(store.last.signal.aborted).toBe(true)
    store.last.fail(new Error('aborted'))
    await settle()

    expect(lines).toEqual(['created a', 'dispose a replaced', 'ended a replaced'])
    expect(registry.stats()).toMatchObject({ size: 1, disposing: 0, expired: 0 })
  })

  it('needs a place of its own at the cap', async () => {
    const { registry } = await archiving({ maxSessions: 1 })

    expect(thrownBy(() => registry.replace('a', ['new']))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    expect(registry.stats()).toMatchObject({ size: 0, archiving: 1, disposing: 0 })
  })
})
